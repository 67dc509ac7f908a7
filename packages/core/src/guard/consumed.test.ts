import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { request, START, testGuard } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { deny } from '../policy/lists.ts'
import { onPaths } from '../policy/matcher.ts'
import { type Policy, policy } from '../policy/policy.ts'
import { rateLimit } from '../policy/rate-limit.ts'

const peer = '203.0.113.7'
const clock = { now: () => START }
const later = policy({ name: 'later', evaluate: async () => undefined })
const five = rateLimit({ name: 'five', limit: 5, window: '60s' })

/** How many of 50 requests pass at one instant, while each is followed by one that is refused. */
async function admittedOf50(policies: readonly Policy[], refused: string, by = peer): Promise<number> {
  const { guard } = testGuard(policies)
  let admitted = 0
  for (let i = 0; i < 50; i++) {
    if ((await guard.check(request({ url: '/open' }), { peer })).action === 'allow') admitted++
    expect((await guard.check(request({ url: refused }), { peer: by })).action).not.toBe('allow')
  }
  return admitted
}

describe('a refused request gives back what it has consumed, and no more', () => {
  const closed = policy({ name: 'closed', when: onPaths('/closed'), evaluate: () => ({ action: 'deny' }) })
  const closedLater = policy({ name: 'closed', when: onPaths('/closed'), evaluate: async () => ({ action: 'deny' }) })

  test('a limit that was counted together with the refusal', async () => {
    expect(await admittedOf50([later, five, closed], '/closed')).toBe(5)
  })

  test('a limit that was counted before it, with several parts waited for', async () => {
    expect(await admittedOf50([five, later, closedLater], '/closed')).toBe(5)
    expect(await admittedOf50([five, later, later, closedLater], '/closed')).toBe(5)
  })

  test('a limit beside another one that refuses', async () => {
    const one = rateLimit({ name: 'one', limit: 0, window: '60s', when: onPaths('/one') })
    expect(await admittedOf50([later, five, one], '/one')).toBe(5)
    expect(await admittedOf50([five, later, one], '/one')).toBe(5)
  })

  test('a limit that others share, by a client that is denied', async () => {
    const all = rateLimit({ name: 'all', limit: 5, window: '60s', key: 'global' })
    expect(await admittedOf50([later, all, deny(['203.0.113.66'])], '/', '203.0.113.66')).toBe(5)
  })
})

describe('refund()', () => {
  const x = (): Policy => rateLimit({ name: 'x', limit: 10, window: '60s' })

  test('gives back once what two guards know to be counted', async () => {
    const store = memoryStore()
    const base = createGuard({ store, clock, policies: [x()] })
    for (let i = 0; i < 4; i++) void base.check(request(), { peer })
    for (const other of [base.with({ policies: [x()] }), createGuard({ store, clock, policies: [x()] })]) {
      const asked = request()
      void base.check(asked, { peer })
      const decision = await other.check(asked, { peer })
      await other.handle(asked, decision).refund()
      expect((await base.status(peer)).limits).toMatchObject([{ remaining: 6 }])
    }
  })

  test('gives nothing back of a limit in shadow that was not counted', async () => {
    const shadow = (name: string, limit: number): Policy => rateLimit({ name, limit, window: '60s', mode: 'shadow' })
    const { guard } = testGuard([shadow('wide', 5), shadow('narrow', 1)])
    void guard.check(request(), { peer })
    const asked = request()
    await guard.handle(asked, await guard.check(asked, { peer })).refund()
    expect((await guard.status(peer)).limits).toMatchObject([{ remaining: 4 }, { remaining: 0 }])
  })

  test('gives back also what was counted while a list was not there', async () => {
    const { guard } = testGuard([rateLimit({ name: 'x', limit: 5, window: '60s', except: [{ current: undefined }] })])
    const asked = request()
    await guard.handle(asked, await guard.check(asked, { peer })).refund()
    expect((await guard.status(peer)).limits).toMatchObject([{ remaining: 5 }])
  })
})

test('a strike is told of once, though two guards know the request', () => {
  const store = memoryStore()
  const strikes: string[] = []
  const guards = [1, 2].map(() => {
    const ladder = [{ ban: '1h', after: 3 }] as const
    const policies = [rateLimit({ name: 'x', limit: 0, window: '60s', mode: 'shadow', ladder })]
    const guard = createGuard({ store, clock, policies })
    guard.on('strike', ({ policy: name }) => strikes.push(name))
    return guard
  })
  const asked = request()
  for (const guard of guards) void guard.check(asked, { peer })
  expect(strikes).toEqual(['x'])
})

test('status tells what is left of a limit by another key, and of a burst', async () => {
  const { guard } = testGuard([
    rateLimit({ name: 'all', limit: 5, window: '60s', key: 'global' }),
    rateLimit({ name: 'bucket', limit: 10, burst: 2, window: '60s', algorithm: 'token-bucket' }),
  ])
  for (let i = 0; i < 2; i++) void guard.check(request(), { peer })
  expect((await guard.status(peer)).limits).toMatchObject([{ remaining: 3 }, { remaining: 0 }])
})

test('of two limits that refuse, the longer wait is told with the ban that makes it', () => {
  const { now } = testGuard([
    rateLimit({ name: 'a', limit: 1, window: '60s' }),
    rateLimit({ name: 'b', limit: 1, window: '60s', ladder: [{ name: 'jail', ban: '1h' }] }),
  ])
  now(peer)
  expect(now(peer)).toMatchObject({
    action: 'limit',
    policy: 'a',
    tier: 'jail',
    retryAfter: 3600,
    expires: START + 3_600_000,
    evidence: [{ kind: 'limit' }, { kind: 'limit' }, { kind: 'strikes', tier: 'jail' }],
  })
})
