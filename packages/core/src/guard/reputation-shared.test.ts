import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import {
  type FakeProvider,
  failure,
  fakeProvider,
  type ReputationGuard,
  reputationGuard,
  turn,
} from '../../test/fake-provider.ts'
import { type HandClock, handClock } from '../../test/hand-clock.ts'
import type { ReputationOptions } from '../policy/reputation.ts'
import type { Store } from '../store/store.ts'

const IP = '8.8.4.4'
const RECORD = `rep:1:4:fake:0::${IP}`
const LEASE = `rep-lease:1:4:fake:0::${IP}`

interface Fleet {
  readonly guards: readonly ReputationGuard[]
  readonly sources: readonly FakeProvider[]
  readonly clock: HandClock
  readonly store: Store
  /** Look-ups of all processes. */
  asked(): number
  pass(ms: number, steps?: number): Promise<void>
}

/** Processes that share a store: each has a guard and a source of its own, as they would. */
function fleet(
  size: number,
  answer?: (ip: string) => unknown,
  options: Partial<ReputationOptions<unknown>> = {},
): Fleet {
  const clock = handClock()
  const store = memoryStore({ clock })
  const sources = Array.from({ length: size }, () => fakeProvider({}, answer))
  const guards = sources.map((source) => reputationGuard({ ...options, providers: [source] }, { clock, store }))
  return {
    guards,
    sources,
    clock,
    store,
    asked: () => sources.reduce((sum, { calls }) => sum + calls.length, 0),
    async pass(ms, steps = 1) {
      for (let i = 0; i < steps; i++) {
        clock.advance(ms / steps)
        await turn()
      }
    },
  }
}

describe('processes on one store', () => {
  test('ask once for an address, whoever meets it first, and all are told', async () => {
    const { guards, asked } = fleet(4, () => ({ score: 90 }))
    for (const guard of guards) {
      guard.now(IP)
      await turn()
      expect(guard.now(IP).action).toBe('deny')
      expect(guard.events).toEqual([expect.objectContaining({ ip: IP, action: 'deny', score: 90 })])
    }
    expect(asked()).toBe(1)
    expect(guards.map(({ guard }) => guard.metrics().reputation.fake?.shared)).toEqual([0, 1, 1, 1])
  })

  test('a thousand first requests of one address at once, in four processes: one look-up', async () => {
    const { guards, asked, sources, pass } = fleet(4, undefined, { wait: '5s' })
    const answers = Array.from({ length: 1000 }, (_, i) => guards[i % 4]?.check(IP))
    await pass(200, 10)
    expect(asked()).toBe(1)
    sources.find(({ calls }) => calls.length > 0)?.calls[0]?.resolve({ score: 90 })
    await pass(250, 10)
    expect((await Promise.all(answers.map(async (each) => each))).map((each) => each?.action)).toEqual(
      Array.from({ length: 1000 }, () => 'deny'),
    )
    expect(asked()).toBe(1)
  })

  test('one alone needs no timer but the deadline of the look-up', async () => {
    const { guards, sources, clock } = fleet(1)
    guards[0]?.now(IP)
    await turn()
    expect(clock.pending()).toBe(1)
    sources[0]?.calls[0]?.resolve(undefined)
    await turn()
    expect(clock.pending()).toBe(0)
  })

  test('the lease of one that has died runs out, and another one asks', async () => {
    const { guards, asked, pass, store, clock } = fleet(1, () => ({ score: 90 }))
    await store.set(LEASE, 'asking', clock.now() + 6_000, { ifAbsent: true })
    guards[0]?.now(IP)
    await pass(5_500, 60)
    expect(asked()).toBe(0)
    await pass(700, 10)
    expect(asked()).toBe(1)
    expect(guards[0]?.now(IP).action).toBe('deny')
    expect(await store.get(LEASE)).toBeUndefined()
  })

  test('one that could not tell spares the others the question, for the time of an error', async () => {
    const { guards, sources, asked, pass, store } = fleet(3, undefined, { onUnknown: 'challenge' })
    for (const guard of guards) guard.now(IP)
    await turn()
    sources.find(({ calls }) => calls.length > 0)?.calls[0]?.reject(failure('FAILED'))
    await pass(200, 4)
    for (const guard of guards) expect(guard.now(IP)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    expect(asked()).toBe(1)
    expect(await store.get(RECORD)).toBeUndefined()
    await pass(60_000)
    guards[1]?.now(IP)
    await pass(200, 4)
    expect(asked()).toBe(2)
  })

  test('one that is told to stop holds back the others that wait for its leases', async () => {
    const { guards, sources, asked, pass, store } = fleet(2, undefined, { onUnknown: 'challenge' })
    const ips = Array.from({ length: 4 }, (_, i) => `8.8.4.${i}`)
    for (const guard of guards) {
      for (const ip of ips) guard.now(ip)
      await turn()
    }
    expect(sources.map(({ calls }) => calls.length)).toEqual([4, 0])
    for (const { reject } of sources[0]!.calls) reject(failure('QUOTA', { retryAfter: 600_000 }))
    await pass(1_000, 20)
    expect(asked()).toBe(4)
    for (const ip of ips) {
      expect(await store.get(`rep-lease:1:4:fake:0::${ip}`)).toBeUndefined()
      expect(guards[1]?.now(ip)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    }
    expect(guards[1]?.guard.metrics().reputation.fake).toMatchObject({ inFlight: 0, queued: 0, open: false })
    await pass(600_000)
    guards[1]?.now(IP)
    await turn()
    expect(asked()).toBe(5)
  })

  test('a failure leaves a good old record as it is', async () => {
    const { guards, sources, pass, store } = fleet(2, () => ({ score: 90 }))
    guards[0]?.now(IP)
    await turn()
    const record = await store.get(RECORD)
    for (const source of sources)
      source.answer = () => {
        throw failure('FAILED')
      }
    await pass(3_600_000)
    for (const guard of guards) guard.now(IP)
    await pass(200, 4)
    expect(await store.get(RECORD)).toBe(record)
    // The second one has never asked: it has the verdict from the record, old as it is.
    for (const guard of guards) expect(guard.now(IP).action).toBe('deny')
  })

  test('a renewal is asked once too', async () => {
    const { guards, asked, pass } = fleet(4, () => ({ score: 90 }))
    for (const guard of guards) {
      guard.now(IP)
      await turn()
    }
    await pass(3_600_000)
    for (const guard of guards) guard.now(IP)
    await pass(200, 4)
    expect(asked()).toBe(2)
    for (const guard of guards) expect(guard.now(IP)).not.toHaveProperty('pending')
  })

  test.each([
    ['nonsense', 'nonsense'],
    ['a verdict of another kind', '[1,2,3,{"score":1e9}]'],
    ['a verdict for ever', '[1,1e15,1e15,{"score":100}]'],
    ['a prototype', '{"__proto__":{"0":1,"1":9e15,"2":9e15}}'],
  ])('a record of %s is as good as none', async (_, text) => {
    const { guards, asked, store, clock } = fleet(1, () => undefined, { onUnknown: 'challenge' })
    await store.set(RECORD, text, clock.now() + 3_600_000)
    guards[0]?.now(IP)
    await turn()
    expect(asked()).toBe(1)
    expect(guards[0]?.now(IP).action).toBe('allow')
  })

  test('settings and names are kept apart', async () => {
    const clock = handClock()
    const store = memoryStore({ clock })
    const first = fakeProvider({ name: 'a', version: '1:b' }, () => ({ score: 90 }))
    const second = fakeProvider({ name: 'a', version: '1' }, () => undefined)
    for (const fake of [first, second]) {
      reputationGuard({ providers: [fake] }, { clock, store }).now(IP)
      await turn()
    }
    expect([first.calls.length, second.calls.length]).toEqual([1, 1])
  })

  test('who waits reads what others know also while the source may not be asked', async () => {
    const { guards, sources, pass } = fleet(3, () => ({ score: 90 }))
    const [first, second] = guards
    second?.now('8.8.8.8')
    await turn()
    // The same store and source, on a route that waits.
    const waiting = fakeProvider({}, () => {
      throw failure('QUOTA', { retryAfter: 600_000 })
    })
    const third = reputationGuard({ providers: [waiting], wait: true }, { clock: first!.clock, store: first!.store })
    await third.check('9.9.9.9')
    expect(waiting.calls).toHaveLength(1)
    expect(await third.check('8.8.8.8')).toMatchObject({ action: 'deny' })
    expect(waiting.calls).toHaveLength(1)
    expect(sources[0]?.calls).toHaveLength(0)
    await pass(0)
  })
})

describe('a store that does not answer', () => {
  test.each(['get', 'set', 'delete'] as const)(
    '%s frozen: the source is asked all the same, and everything ends',
    async (method) => {
      const clock = handClock()
      const memory = memoryStore({ clock })
      const store = { ...memory, [method]: () => new Promise<never>(() => {}) }
      const fake = fakeProvider({}, () => ({ score: 90 }))
      const { guard, now } = reputationGuard({ providers: [fake] }, { clock, store })
      now(IP)
      for (let i = 0; i < 20; i++) {
        clock.advance(100)
        await turn()
      }
      expect(fake.calls).toHaveLength(1)
      expect(now(IP).action).toBe('deny')
      expect(guard.metrics().reputation.fake).toMatchObject({ inFlight: 0, queued: 0 })
      expect(clock.pending()).toBe(0)
    },
  )

  test('rejecting: it is told, without what the error says', async () => {
    const clock = handClock()
    const store = { ...memoryStore({ clock }), get: () => Promise.reject(new Error('password=hunter2')) }
    const fake = fakeProvider({}, () => ({ score: 90 }))
    const { now, errors } = reputationGuard({ providers: [fake] }, { clock, store })
    now(IP)
    await turn()
    expect(now(IP).action).toBe('deny')
    expect(errors[0]).toMatchObject({ code: 'IPGUARD_STORE_FAILED' })
    expect(errors.map(({ message }) => message).join()).not.toContain('hunter2')
  })

  test('without its records a source with a quota is not asked, although the count could be had', async () => {
    const clock = handClock()
    const store = { ...memoryStore({ clock }), get: () => Promise.reject(new Error('read failed')) }
    const paid = fakeProvider({ name: 'paid', quota: { perDay: 100 } }, () => undefined)
    const { now } = reputationGuard({ providers: [paid], onUnknown: 'challenge' }, { clock, store })
    now(IP)
    await turn()
    expect(paid.calls).toHaveLength(0)
    expect(now(IP)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
  })

  test('what it answers when the guard is closed is told to nobody', async () => {
    const clock = handClock()
    const memory = memoryStore({ clock })
    const first = reputationGuard({ providers: [fakeProvider({}, () => ({ score: 90 }))] }, { clock, store: memory })
    first.now(IP)
    await turn()
    let answer: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      answer = resolve
    })
    const slow = { ...memory, get: async (key: string) => gate.then(() => memory.get(key)) }
    const { guard, now, events } = reputationGuard({ providers: [fakeProvider()] }, { clock, store: slow })
    now(IP)
    await turn()
    await guard.close()
    answer()
    await turn()
    expect(events).toEqual([])
    expect(now(IP).action).toBe('allow')
  })

  test('one that says somebody holds the lease, and never who, is given up', async () => {
    const clock = handClock()
    const store = { ...memoryStore({ clock }), set: () => false }
    const fake = fakeProvider({ timeout: '1s' }, () => ({ score: 90 }))
    const { guard, now } = reputationGuard({ providers: [fake], onUnknown: 'challenge' }, { clock, store })
    now(IP)
    for (let i = 0; i < 60; i++) {
      clock.advance(50)
      await turn()
    }
    expect(fake.calls).toHaveLength(0)
    expect(guard.metrics().reputation.fake).toMatchObject({ inFlight: 0 })
  })
})
