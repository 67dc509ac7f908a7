import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { admitted, scriptedStore } from '../../test/scripted-store.ts'
import { request, START, testGuard } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import type { IpGuardError } from '../errors.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { deny } from '../policy/lists.ts'
import { type Outcome, policy } from '../policy/policy.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { createEntry } from '../store/entry.ts'

const peer = '203.0.113.7'

describe('whatever an application gives, check answers', () => {
  const circle: unknown[] = []
  circle.push(circle)

  test.each([
    ['a circle', circle],
    ['a bigint', [{ kind: 'custom', detail: 1n }]],
    ['a text', 'because'],
  ])('evidence that is no plain JSON: %s', async (_name, evidence) => {
    const outcome = { action: 'deny', evidence } as unknown as Outcome
    for (const evaluate of [() => outcome, async () => outcome]) {
      const { check } = testGuard([policy({ name: 'mine', onError: 'deny', evaluate })])
      expect(await check(peer)).toMatchObject({ action: 'deny', evidence: [{ kind: 'error' }], degraded: ['mine'] })
    }
  })

  test('evidence is copied: the application’s own objects stay as they are', () => {
    const detail = { seen: 1 }
    const outcome = { action: 'deny', evidence: [{ kind: 'custom', detail }] } as unknown as Outcome
    expect(testGuard([policy({ name: 'mine', evaluate: () => outcome })]).now(peer).evidence).toEqual([
      { kind: 'custom', detail: { seen: 1 } },
    ])
    expect(Object.isFrozen(detail)).toBe(false)
  })

  test('an exception that throws: the request is counted', () => {
    const except = [
      {
        name: 'mine',
        spares(): boolean {
          throw new Error('no database')
        },
      },
    ]
    const { now } = testGuard([rateLimit({ name: 'l', limit: 1, window: '60s', except })])
    expect(now(peer)).toMatchObject({ action: 'allow', degraded: ['l'] })
    expect(now(peer)).toMatchObject({ action: 'limit', degraded: ['l'] })
  })

  test('a limit that was never known refuses, as nobody can say what is too much', () => {
    const { now } = testGuard([
      rateLimit({ name: 'l', limit: () => undefined as unknown as number, window: '60s', ladder: [{ ban: '1h' }] }),
    ])
    for (let i = 0; i < 3; i++)
      expect(now(peer)).toMatchObject({ action: 'deny', policy: 'l', reason: 'denied', degraded: ['l'] })
  })

  test('a waitUntil that throws is told as an error, and nothing else', async () => {
    const store = scriptedStore()
    const banned = createEntry(parsePrefix('203.0.113.7/32'), {
      kind: 'ban',
      createdAt: START,
      expiresAt: START + 60_000,
      by: 'l',
    })
    store.hits.answer = () => [{ ...admitted(), admitted: false, strikes: 1, banned }]
    const { guard, check } = testGuard([rateLimit({ limit: 1, window: '60s', ladder: [{ ban: '1h', after: 2 }] })], {
      store,
    })
    const errors: IpGuardError[] = []
    guard.on('error', (error) => errors.push(error))
    const waitUntil = (): void => {
      throw new TypeError('Illegal invocation')
    }
    expect(await check(peer, {}, { waitUntil })).toMatchObject({ action: 'limit' })
    expect(errors).toMatchObject([{ code: 'IPGUARD_LISTENER_FAILED' }])
  })

  test('a listener that rejects becomes an error event', async () => {
    const { guard, now } = testGuard([])
    const errors: unknown[] = []
    guard.on('error', (error) => errors.push(error.cause))
    guard.on('decision', (async () => {
      throw new Error('the chat is down')
    }) as () => void)
    now(peer)
    await Promise.resolve()
    await Promise.resolve()
    expect(errors).toEqual([new Error('the chat is down')])
  })
})

describe('policies of one name', () => {
  const told = (status: number) => () => ({ status, headers: {}, body: '' })

  test('onRefused is asked of the one that has refused', () => {
    const site = testGuard([
      deny(['198.51.100.1'], { onRefused: told(404) }),
      deny(['198.51.100.2'], { onRefused: told(451) }),
      deny(['198.51.100.3']),
    ])
    const statusOf = (ip: string): number | undefined => site.guard.reply(site.now(ip), request())?.status
    expect(['198.51.100.1', '198.51.100.2', '198.51.100.3'].map(statusOf)).toEqual([404, 451, 403])
  })

  test('that of a route’s guard, behind one with the same list name', () => {
    const { guard } = testGuard([deny(['198.51.100.1'])])
    const route = guard.with({ policies: [deny(['198.51.100.2'], { onRefused: told(404) })] })
    const asked = request()
    void guard.check(asked, { peer: '198.51.100.2' })
    const decision = route.check(asked, { peer: '198.51.100.2' })
    if (decision instanceof Promise) throw new Error('The decision was a promise.')
    expect(route.reply(decision, asked)?.status).toBe(404)
  })

  test('and so is onRefused of a limit, and onError', () => {
    const limits = (store = memoryStore()) =>
      testGuard(
        [
          rateLimit({ name: 'api', limit: 9, window: '1s', onError: 'allow' }),
          rateLimit({ name: 'api', limit: 1, window: '1h', onError: 'deny', onRefused: told(420) }),
        ],
        { store },
      )
    const { guard, now } = limits()
    now(peer)
    expect(guard.reply(now(peer), request())?.status).toBe(420)
    const broken = memoryStore()
    const away = limits({
      ...broken,
      hit() {
        throw new Error('away')
      },
    })
    expect(away.now(peer)).toMatchObject({ action: 'limit', degraded: ['api'] })
  })
})

test('a policy that answers at once is heard, though another one has used up the time', async () => {
  let late: (() => void) | undefined
  const clock = {
    now: () => START,
    after(_ms: number, call: () => void) {
      late = call
      return () => {}
    },
  }
  for (const mode of ['shadow', 'enforce'] as const) {
    const guard = createGuard({
      clock,
      policies: [
        policy({ name: 'trial', mode, evaluate: () => new Promise(() => {}) }),
        policy({ name: 'auth', evaluate: async () => ({ action: 'deny' }) }),
      ],
    })
    const decision = guard.check(request(), { peer })
    late?.()
    expect(await decision).toMatchObject({ action: 'deny', policy: 'auth', degraded: ['trial'] })
  }
})

test('setMode reaches an instance that has met nobody but unknown clients', async () => {
  const store = memoryStore()
  const clock = { now: () => START }
  await createGuard({ store, clock, policies: [] }).setMode('shadow')
  const decision = await createGuard({ store, clock, policies: [] }).check(request())
  expect(decision).toMatchObject({ action: 'allow', shadow: [{ reason: 'unknown-client' }] })
})
