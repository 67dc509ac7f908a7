import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { failure, fakeProvider, reputationGuard, turn } from '../../test/fake-provider.ts'
import { handClock } from '../../test/hand-clock.ts'
import { request } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { onPaths } from '../policy/matcher.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { reputation } from '../policy/reputation.ts'

const IP = '8.8.4.4'
const ip = (i: number): string => `8.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

/** The most that were asked in any span of that length. */
function densest(times: readonly number[], span: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + span).length))
}

describe('a quota', () => {
  test.each([
    ['without a store', undefined],
    ['with one', 'store'],
  ])('%s: is never exceeded in any window, and used', async (_, kind) => {
    const clock = handClock()
    const times: number[] = []
    const fake = fakeProvider({ quota: { perMinute: 15, perDay: 60 } }, () => void times.push(clock.now()))
    const guard = createGuard({
      clock,
      ...(kind && { store: memoryStore({ clock }) }),
      policies: [reputation({ providers: [fake] })],
    })
    for (let i = 0; i < 3_000; i++) {
      void guard.check(request(), { peer: ip(i) })
      if (i % 3 === 0) {
        clock.advance(1_000)
        await turn()
      }
    }
    expect(densest(times, 60_000)).toBeLessThanOrEqual(15)
    expect(times.length).toBe(60)
    // Two windows, each longer by the longest timeout and by the tenth that the count may take.
    expect((times[30] ?? 0) - (times[0] ?? 0)).toBeLessThanOrEqual(2 * 70_000 * 1.1)
    // The day after, there is some again.
    clock.advance(86_400_000 * 1.2)
    for (let i = 5_000; i < 5_020; i++) void guard.check(request(), { peer: ip(i) })
    for (let i = 0; i < 10; i++) await turn()
    expect(times.length).toBe(75)
  })

  test.each(['perMinute', 'perDay'] as const)('%s is one, also for guards with other timeouts', async (name) => {
    const clock = handClock()
    const store = memoryStore({ clock })
    const asked: string[] = []
    for (const timeout of ['1s', '5s', '20s'] as const) {
      const fake = fakeProvider({ timeout, quota: { [name]: 5 } }, (each) => void asked.push(each))
      const { now } = reputationGuard({ providers: [fake] }, { clock, store })
      for (let i = 0; i < 5; i++) {
        now(ip(asked.length * 10 + i))
        await turn()
      }
    }
    expect(asked).toHaveLength(5)
  })

  test('used up: nothing is queued, the decision says so, the operator is warned once', async () => {
    const fake = fakeProvider({ quota: { perMinute: 2 } }, () => undefined)
    const { guard, now, warnings } = reputationGuard({ providers: [fake], onUnknown: 'challenge' })
    for (let i = 0; i < 5; i++) now(ip(i))
    await turn()
    await turn()
    expect(fake.calls).toHaveLength(2)
    expect(warnings).toEqual(['IPGUARD_PROVIDER_QUOTA'])
    for (let i = 10; i < 1_000; i++) expect(now(ip(i))).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    await turn()
    const metrics = guard.metrics().reputation.fake
    expect(metrics).toMatchObject({ asked: 2, queued: 0, inFlight: 0, open: false })
    expect(metrics?.overQuota).toBeGreaterThan(900)
    expect(warnings).toHaveLength(1)
    expect(guard.metrics().errors).toBe(0)
  })

  test('used up at two providers: the operator is warned about each, once', async () => {
    const first = fakeProvider({ name: 'first', quota: { perMinute: 1 } }, () => undefined)
    const second = fakeProvider({ name: 'second', quota: { perMinute: 1 } }, () => undefined)
    const { guard, now } = reputationGuard({ providers: [first, second] })
    const told: string[] = []
    guard.on('warning', ({ message }) => told.push(message))
    for (let i = 0; i < 9; i++) {
      now(ip(i))
      await turn()
    }
    expect(told).toEqual([expect.stringContaining('"first"'), expect.stringContaining('"second"')])
  })

  test('used up while others are in the queue: those ask the store for nothing either', async () => {
    const clock = handClock()
    const memory = memoryStore({ clock })
    const read = new Set<string>()
    const store = {
      ...memory,
      get(key: string) {
        read.add(key)
        return memory.get(key)
      },
    }
    const fake = fakeProvider({ quota: { perMinute: 1 } }, () => undefined)
    const { guard, now } = reputationGuard({ providers: [fake], concurrency: 1 }, { clock, store })
    for (let i = 0; i < 100; i++) now(ip(i))
    await turn()
    await turn()
    expect(guard.metrics().reputation.fake).toMatchObject({ asked: 1, queued: 0 })
    expect([...read].filter((key) => key.startsWith('rep:'))).toHaveLength(2)
  })

  test('a share of it is kept for policies of high value, when there are any', async () => {
    const fake = fakeProvider({ quota: { perDay: 20 } }, () => undefined)
    const site = reputation({ name: 'site', providers: [fake], when: onPaths('/') })
    const login = (reserve?: number) =>
      reputation({
        name: 'login',
        providers: [fake],
        when: onPaths('/login'),
        highValue: true,
        ...(reserve !== undefined && { reserve }),
      })
    for (const [policies, first, then] of [
      [[site], 20, 20],
      [[site, login()], 18, 20],
      [[site, login(0.5)], 10, 20],
      [[site, login(0)], 20, 20],
    ] as const) {
      fake.calls.length = 0
      const { now } = reputationGuard({ providers: [fake] }, { policies })
      for (let i = 0; i < 40; i++) now(ip(i))
      for (let i = 0; i < 10; i++) await turn()
      expect(fake.calls).toHaveLength(first)
      for (let i = 100; i < 140; i++) now(ip(i), '/login')
      for (let i = 0; i < 10; i++) await turn()
      expect(fake.calls).toHaveLength(then)
    }
  })

  test('is not forgotten when a flood of clients pushes its counter out of the store', async () => {
    const clock = handClock()
    const store = memoryStore({ clock, maxKeys: 100 })
    const fake = fakeProvider({ quota: { perDay: 5 } }, () => undefined)
    const policies = [
      rateLimit({ limit: 1_000, window: '1d' }),
      reputation({ providers: [fake], when: onPaths('/login') }),
    ]
    const { now, pass } = reputationGuard({ providers: [fake] }, { policies, store, clock })
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 3; i++) now(ip(round * 10 + i), '/login')
      await turn()
      for (let i = 0; i < 1_000; i++) now(ip(100_000 + round * 1_000 + i))
      await pass(3_600_000)
    }
    expect(fake.calls).toHaveLength(5)
  })

  test('with a store that is away it is not used: nobody knows what others have sent; without a quota it is asked all the same', async () => {
    const clock = handClock()
    const memory = memoryStore({ clock })
    let down = false
    const dead = <T>(call: () => T): T => {
      if (down) throw new Error('gone')
      return call()
    }
    const store = {
      ...memory,
      hit: (...args: Parameters<typeof memory.hit>) => dead(() => memory.hit(...args)),
      get: (key: string) => dead(() => memory.get(key)),
      set: (...args: Parameters<typeof memory.set>) => dead(() => memory.set(...args)),
      delete: (key: string) => dead(() => memory.delete(key)),
    }
    const paid = fakeProvider({ name: 'paid', quota: { perDay: 100 } }, () => undefined)
    const free = fakeProvider({ name: 'free' }, () => ({ score: 90 }))
    const { guard, now, pass } = reputationGuard({ providers: [paid, free] }, { store, clock })
    down = true
    now(IP)
    await turn()
    expect([paid.calls.length, free.calls.length]).toEqual([0, 1])
    expect(now(IP).action).toBe('deny')
    expect(guard.metrics().reputation.paid).toMatchObject({ asked: 0, overQuota: 0 })
    down = false
    await pass(2_000)
    now('8.8.8.8')
    await turn()
    expect(paid.calls).toHaveLength(1)
  })
})

describe('a source that says not to ask', () => {
  test('is not asked before, by no process', async () => {
    const clock = handClock()
    const store = memoryStore({ clock })
    const fake = fakeProvider({}, () => {
      throw failure('QUOTA', { retryAfter: 600_000 })
    })
    const one = reputationGuard({ providers: [fake], onUnknown: 'challenge' }, { clock, store })
    const two = reputationGuard({ providers: [fake], onUnknown: 'challenge' }, { clock, store })
    one.now(IP)
    await turn()
    fake.answer = () => undefined
    expect(one.warnings).toEqual(['IPGUARD_PROVIDER_QUOTA'])
    expect(one.errors).toEqual([])
    await one.pass(599_000)
    one.now('8.8.8.8')
    two.now('8.8.8.8')
    await turn()
    expect(fake.calls).toHaveLength(1)
    expect(two.now('8.8.8.8')).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    await one.pass(1_000)
    one.now('8.8.8.8')
    await turn()
    expect(fake.calls).toHaveLength(2)
  })

  test('without a time: a minute, doubled each time, until it answers', async () => {
    const fake = fakeProvider({ ttl: { unlisted: '1s' } }, () => {
      throw failure('QUOTA')
    })
    const { now, pass } = reputationGuard({ providers: [fake] })
    let i = 0
    for (const minutes of [1, 2, 4]) {
      now(ip(i++))
      await turn()
      const before = fake.calls.length
      await pass(minutes * 60_000 - 1)
      now(ip(i++))
      await turn()
      expect(fake.calls).toHaveLength(before)
      await pass(1)
    }
    fake.answer = () => undefined
    now(ip(i++))
    await turn()
    fake.answer = () => {
      throw failure('QUOTA')
    }
    now(ip(i++))
    await turn()
    const before = fake.calls.length
    await pass(60_000)
    now(ip(i++))
    await turn()
    expect(fake.calls).toHaveLength(before + 1)
  })

  test('also with another error; a day at most', async () => {
    const fake = fakeProvider({}, () => {
      throw failure('FAILED', { retryAfter: 1e15 })
    })
    const { guard, now, pass } = reputationGuard({ providers: [fake] })
    now(IP)
    await turn()
    expect(guard.metrics().reputation.fake?.open).toBe(false)
    await pass(86_399_000)
    now(IP)
    await turn()
    expect(fake.calls).toHaveLength(1)
    await pass(1_000)
    now(IP)
    await turn()
    expect(fake.calls).toHaveLength(2)
  })
})
