import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { handClock, turn } from '../../test/hand-clock.ts'
import { request, testGuard } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { policy } from '../policy/policy.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import type { Entry, Store } from '../store/store.ts'

/** The memory store behind promises; `hold` makes its hits wait for ever. */
function remote(): { store: Store; state: { hold: boolean; fail: boolean; trips: number } } {
  const memory = memoryStore()
  const state = { hold: false, fail: false, trips: 0 }
  const store: Store = {
    ...memory,
    name: 'remote',
    async hit(hits, context) {
      state.trips++
      if (state.fail) throw new Error('password=hunter2')
      if (state.hold) await new Promise(() => {})
      return memory.hit(hits, context)
    },
  }
  return { store, state }
}

describe('a store that answers with promises', () => {
  test('gets one trip for all limits, and the decision is the same', async () => {
    const { store, state } = remote()
    const guard = createGuard({
      store,
      clock: handClock(),
      policies: [rateLimit({ limit: 1, window: '60s' }), rateLimit({ limit: 5, window: '1h' })],
    })
    const ask = () => guard.check(request(), { peer: '203.0.113.7' })
    expect(ask()).toBeInstanceOf(Promise)
    expect((await ask()).action).toBe('limit')
    expect(state.trips).toBe(2)
  })

  test.each([
    ['local', ['allow', 'limit']],
    ['allow', ['allow', 'allow']],
    ['deny', ['limit', 'limit']],
  ] as const)('frozen: by the deadline, %s decides, and the decision says so', async (onError, actions) => {
    const { store, state } = remote()
    const clock = handClock()
    const guard = createGuard({ store, clock, policies: [rateLimit({ name: 'l', limit: 1, window: '60s', onError })] })
    state.hold = true
    for (const action of actions) {
      const answer = guard.check(request(), { peer: '203.0.113.7' })
      clock.advance(49)
      await turn()
      expect(await Promise.race([answer, Promise.resolve('waiting')])).toBe('waiting')
      clock.advance(1)
      expect(await answer).toMatchObject({ action, degraded: ['l'] })
    }
    expect(clock.pending()).toBe(0)
  })

  test('failing: the same at once, without its message anywhere', async () => {
    const { store, state } = remote()
    const guard = createGuard({
      store,
      clock: handClock(),
      instances: 2,
      policies: [rateLimit({ name: 'l', limit: 5, window: '60s' })],
    })
    state.fail = true
    const errors: Error[] = []
    guard.on('error', (error) => errors.push(error))
    const actions = []
    for (let i = 0; i < 4; i++) actions.push((await guard.check(request(), { peer: '203.0.113.7' })).action)
    // floor(5 / 2) here, as the other instance counts its own share.
    expect(actions).toEqual(['allow', 'allow', 'limit', 'limit'])
    // The fourth did not ask the store any more.
    expect(errors).toHaveLength(3)
    expect(JSON.stringify(errors.map(({ message }) => message))).not.toContain('hunter2')
  })
})

describe('asynchronous policies', () => {
  test('a refusal after the limits gives back what they consumed', async () => {
    let refuse = true
    const { check } = testGuard([
      rateLimit({ limit: 2, window: '60s' }),
      policy({ name: 'later', evaluate: async () => (refuse ? { action: 'challenge' } : undefined) }),
    ])
    for (let i = 0; i < 3; i++)
      expect(await check('203.0.113.7')).toMatchObject({
        action: 'challenge',
        reason: 'challenge-required',
        policy: 'later',
      })
    refuse = false
    expect((await check('203.0.113.7')).limits?.[0]?.remaining).toBe(1)
  })

  test('one that never answers takes its onError by the deadline, and is told by its signal', async () => {
    for (const [onError, action] of [
      ['skip', 'allow'],
      ['deny', 'deny'],
    ] as const) {
      const clock = handClock()
      let signal: AbortSignal | undefined
      const guard = createGuard({
        clock,
        policies: [
          policy({
            name: 'slow',
            onError,
            evaluate: (context) => {
              // Read at once, as a policy that destructures its context does.
              signal = context.signal
              return new Promise(() => {})
            },
          }),
        ],
      })
      const answer = guard.check(request(), { peer: '203.0.113.7' })
      await turn()
      expect(signal?.aborted).toBe(false)
      clock.advance(500)
      expect(await answer).toMatchObject({ action, degraded: ['slow'] })
      expect(signal?.aborted).toBe(true)
    }
  })

  test('one between two limits is warned about at creation', () => {
    const codes: string[] = []
    testGuard(
      [
        rateLimit({ limit: 1, window: '60s' }),
        policy({ name: 'x', evaluate: async () => undefined }),
        rateLimit({ limit: 5, window: '1h' }),
      ],
      {
        onWarning: ({ code }) => codes.push(code),
      },
    )
    expect(codes).toContain('IPGUARD_ASYNC_BETWEEN_COUNTERS')
  })
})

describe('entries that are still loading', () => {
  test('are waited for up to the deadline, then the decision is degraded', async () => {
    const clock = handClock()
    const memory = memoryStore()
    const store: Store = {
      ...memory,
      entries: {
        ...memory.entries,
        load: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
      },
    }
    const guard = createGuard({ store, clock, policies: [] })
    const answer = guard.check(request(), { peer: '203.0.113.7' })
    await turn()
    clock.advance(50)
    expect(await answer).toMatchObject({ action: 'allow', degraded: ['entries'] })
  })

  test('that cannot be loaded are asked for again after 250 ms, and until then decisions are degraded', async () => {
    const clock = handClock()
    const memory = memoryStore()
    let loads = 0
    let broken = true
    for (const asynchronous of [false, true]) {
      loads = 0
      broken = true
      const load = (): Iterable<[]> | AsyncIterable<[]> => {
        loads++
        if (broken && !asynchronous) throw new Error('x')
        return asynchronous
          ? {
              [Symbol.asyncIterator]: () => ({
                next: () =>
                  broken ? Promise.reject(new Error('x')) : Promise.resolve({ done: true, value: undefined }),
              }),
            }
          : []
      }
      const guard = createGuard({ store: { ...memory, entries: { ...memory.entries, load } }, clock, policies: [] })
      for (let i = 0; i < 3; i++)
        expect(await guard.check(request(), { peer: '203.0.113.7' })).toMatchObject({
          action: 'allow',
          degraded: ['entries'],
        })
      expect(loads).toBe(1)
      clock.advance(249)
      expect(loads).toBe(1)
      broken = false
      clock.advance(1)
      expect(await guard.check(request(), { peer: '203.0.113.7' })).not.toHaveProperty('degraded')
      expect(loads).toBe(2)
    }
  })

  test('do not bring back what was removed while they were on their way', async () => {
    const memory = memoryStore()
    const other = createGuard({ store: memory, policies: [] })
    await other.ban('203.0.113.7', { for: '1h' })
    const stale = other.entries()
    let deliver = (_page: readonly Entry[]): void => {}
    const store: Store = {
      ...memory,
      entries: {
        ...memory.entries,
        async *load() {
          yield await new Promise<readonly Entry[]>((resolve) => {
            deliver = resolve
          })
        },
      },
    }
    const guard = createGuard({ store, policies: [], deadline: '10s' })
    const answer = guard.check(request(), { peer: '203.0.113.7' })
    await turn()
    await other.unban('203.0.113.7')
    deliver(stale)
    expect(await answer).toMatchObject({ action: 'allow' })
  })

  test('a ban in them holds from the first request on', async () => {
    const memory = memoryStore()
    const one = createGuard({ store: memory, policies: [] })
    await one.ban('203.0.113.7', { for: '1h' })
    const store: Store = {
      ...memory,
      entries: {
        ...memory.entries,
        async *load() {
          yield* memory.entries.load()
        },
      },
    }
    const two = createGuard({ store, policies: [] })
    expect(await two.check(request(), { peer: '203.0.113.7' })).toMatchObject({ action: 'deny', reason: 'banned' })
    expect(two.check(request(), { peer: '203.0.113.8' })).not.toBeInstanceOf(Promise)
  })
})
