import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { request, START, testGuard } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { allow, deny } from '../policy/lists.ts'
import { onMethods, onPaths } from '../policy/matcher.ts'
import { policy } from '../policy/policy.ts'
import { rateLimit } from '../policy/rate-limit.ts'

const peer = '203.0.113.7'
const clock = { now: () => START }

describe('one request counts once per policy', () => {
  test('on one guard that is mounted twice, and gets the same decision', () => {
    const { guard } = testGuard([rateLimit({ limit: 5, window: '60s' })])
    const asked = request()
    expect(guard.check(asked, { peer })).toBe(guard.check(asked, { peer }))
    expect(guard.check(request(), { peer })).toMatchObject({ limits: [{ remaining: 3 }] })
  })

  test('on two guards over one store with the same policy', () => {
    const store = memoryStore()
    const guards = [1, 2].map(() =>
      createGuard({ store, clock, policies: [rateLimit({ name: 'same', limit: 5, window: '60s' })] }),
    )
    const asked = request()
    expect(guards.map((guard) => guard.check(asked, { peer }))).toMatchObject([
      { limits: [{ remaining: 4 }] },
      { limits: [{ remaining: 4 }] },
    ])
    expect(guards[0]?.check(request(), { peer })).toMatchObject({ limits: [{ remaining: 3 }] })
  })

  test('by the native object, whatever view stands before it, also when it is frozen', () => {
    for (const native of [{}, Object.freeze({})]) {
      const { guard } = testGuard([rateLimit({ limit: 5, window: '60s' })])
      void guard.check(request({ native }), { peer })
      expect(guard.check(request({ native }), { peer })).toMatchObject({ limits: [{ remaining: 4 }] })
    }
  })

  test('two guards whose policies differ count apart', () => {
    const store = memoryStore()
    const asked = request()
    for (const name of ['a', 'b'])
      void createGuard({ store, clock, policies: [rateLimit({ name, limit: 5, window: '60s' })] }).check(asked, {
        peer,
      })
    const both = createGuard({
      store,
      clock,
      policies: ['a', 'b'].map((name) => rateLimit({ name, limit: 5, window: '60s' })),
    })
    expect(both.check(request(), { peer })).toMatchObject({
      limits: [
        { policy: 'a', remaining: 3 },
        { policy: 'b', remaining: 3 },
      ],
    })
  })
})

describe('a request that the application dispatches anew', () => {
  test('is judged by its own method and path, and counts once', () => {
    const { guard } = testGuard([
      rateLimit({ limit: 5, window: '60s' }),
      deny(['0.0.0.0/0'], { when: onPaths('/admin') }),
      deny(['0.0.0.0/0'], { when: onMethods('DELETE') }),
    ])
    const native = {}
    const ask = (over: object): unknown => guard.check(request({ native, ...over }), { peer })
    expect(ask({ url: '/en/admin' })).toMatchObject({ action: 'allow', limits: [{ remaining: 4 }] })
    expect(ask({ url: '/admin' })).toMatchObject({ action: 'deny' })
    expect(ask({ url: '/en/admin', names: ['/admin'] })).toMatchObject({ action: 'deny' })
    expect(ask({ url: '/en/admin', method: 'DELETE' })).toMatchObject({ action: 'deny' })
    expect(ask({ url: '/en' })).toMatchObject({ action: 'allow', limits: [{ remaining: 4 }] })
    expect(guard.check(request(), { peer })).toMatchObject({ limits: [{ remaining: 3 }] })
  })
})

describe('guard.with', () => {
  test('appends policies; what the base has asked is not asked again', () => {
    let asked = 0
    const { guard } = testGuard([
      rateLimit({ limit: 5, window: '60s' }),
      policy({ name: 'count', evaluate: () => void asked++ }),
    ])
    const route = guard.with({ policies: [rateLimit({ name: 'route', limit: 2, window: '60s' })] })
    for (const remaining of [1, 0]) {
      const once = request()
      void guard.check(once, { peer })
      expect(route.check(once, { peer })).toMatchObject({
        action: 'allow',
        limits: [{ policy: '5-in-60s' }, { policy: 'route', remaining }],
      })
    }
    const third = request()
    expect(guard.check(third, { peer })).toMatchObject({ action: 'allow' })
    expect(route.check(third, { peer })).toMatchObject({ action: 'limit', policy: 'route' })
    expect(asked).toBe(3)
  })

  test('alone it runs all of them', () => {
    const { guard } = testGuard([rateLimit({ limit: 1, window: '60s' })])
    const route = guard.with({ policies: [rateLimit({ name: 'route', limit: 5, window: '60s' })] })
    expect(route.check(request(), { peer })).toMatchObject({ action: 'allow' })
    expect(route.check(request(), { peer })).toMatchObject({ action: 'limit', policy: '1-in-60s' })
  })

  test('what the base let in for good is not asked again', () => {
    const { guard } = testGuard([allow([peer])])
    const route = guard.with({ policies: [policy({ name: 'no', evaluate: () => ({ action: 'deny' }) })] })
    const once = request()
    void guard.check(once, { peer })
    expect(route.check(once, { peer })).toMatchObject({ action: 'allow', policy: 'allow' })
  })

  test('takes nothing but policies', () => {
    const { guard } = testGuard([])
    expect(() => guard.with({ policies: [], store: memoryStore() } as never)).toThrow(
      'guard.with has no option "store". Known: policies.',
    )
    expect(() => guard.with({ policies: [{} as never] })).toThrow('guard.with.policies[0]')
  })
})

describe('the handle of a request', () => {
  test('strike() leads up the ladder, and refund() gives back what the request consumed, once', async () => {
    const { guard, clock: time } = testGuard([
      rateLimit({ limit: 5, window: '60s' }),
      rateLimit({ name: 'login', ladder: [{ name: 'login', ban: '15m', after: 3, within: '10m' }] }),
    ])
    const ask = () => {
      const once = request()
      const decision = guard.check(once, { peer })
      if (decision instanceof Promise) throw new Error('a promise')
      return guard.handle(once, decision)
    }
    const first = ask()
    await first.refund()
    await first.refund()
    expect(ask().decision.limits?.[0]?.remaining).toBe(4)
    expect(await ask().strike()).toBeUndefined()
    expect(await ask().strike()).toBeUndefined()
    const banned = await ask().strike()
    expect(banned).toMatchObject({ kind: 'ban', cidr: '203.0.113.7/32', tier: 'login', by: 'login' })
    expect(ask().decision).toMatchObject({ action: 'deny', reason: 'banned', retryAfter: 900 })
    time.time += 900_000
    expect(ask().decision.action).toBe('allow')
  })

  test('strike() without a ladder is an error event, never a throw; guard.strike rejects', async () => {
    const { guard } = testGuard([])
    const errors: Error[] = []
    guard.on('error', (error) => errors.push(error))
    const once = request()
    const decision = await guard.check(once, { peer })
    expect(await guard.handle(once, decision).strike()).toBeUndefined()
    expect(errors).toHaveLength(1)
    await expect(guard.strike(peer)).rejects.toMatchObject({ code: 'IPGUARD_LADDER_MISSING' })
    const striking = testGuard([rateLimit({ name: 'l', ladder: [{ ban: '1h' }] })]).guard
    await expect(striking.strike('10.0.0')).rejects.toMatchObject({ code: 'IPGUARD_ADDRESS_INVALID' })
  })
})
