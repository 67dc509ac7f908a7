import { attacks, hitOf, keyOf, limiter, mostInAnyWindow, runAttack, SUITE_START } from '@ipguard/conformance'
import { memoryStore } from '@ipguard/store-memory'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const WINDOW = 60_000
const LIMIT = 100
const offsets = [0, 1, 3_000, 5_999, 29_999]

/** Deterministic, so that a failure can be seen again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

describe.each(Object.entries(attacks))('%s', (_name, attack) => {
  const run = async (options: object, seed: number): Promise<readonly number[]> => {
    const offset = offsets[seed % offsets.length]!
    return runAttack(
      memoryStore({ maxKeys: 10 }),
      attack(WINDOW, randomFrom(seed)),
      { name: 'attacked', limit: LIMIT, window: WINDOW, ...options },
      { window: WINDOW, offset },
    )
  }
  const seeds = [0, 1, 2, 3, 4]

  it('sliding-window: never more than the limit in any window', async () => {
    for (const seed of seeds) {
      const passed = await run({}, seed)
      expect(passed.length).toBeGreaterThan(LIMIT)
      expect(mostInAnyWindow(passed, WINDOW)).toBeLessThanOrEqual(LIMIT)
    }
  })

  it('fixed-window: never more than twice the limit in any window', async () => {
    for (const seed of seeds)
      expect(mostInAnyWindow(await run({ algorithm: 'fixed-window' }, seed), WINDOW)).toBeLessThanOrEqual(2 * LIMIT)
  })

  it('token-bucket: in any span at most burst + span / window * limit', async () => {
    for (const burst of [LIMIT, 7]) {
      for (const seed of seeds) {
        const passed = await run({ algorithm: 'token-bucket', burst }, seed)
        // What came up to i, less what leaked, is highest over the span from the lowest point before: one pass.
        let lowest = Number.POSITIVE_INFINITY
        let worst = 0
        passed.forEach((at, i) => {
          lowest = Math.min(lowest, i - (at / WINDOW) * LIMIT)
          worst = Math.max(worst, i + 1 - (at / WINDOW) * LIMIT - lowest)
        })
        expect(worst).toBeLessThanOrEqual(burst + 1e-6)
      }
    }
  })
})

describe('sliding-window on random schedules', () => {
  const gaps = fc.array(
    fc.oneof(fc.constant(0), fc.nat(3), fc.nat(300), fc.nat(2_500), fc.constantFrom(99, 100, 101, 999, 1_000, 1_100)),
    { minLength: 1, maxLength: 400 },
  )
  const limits = fc.integer({ min: 1, max: 12 })
  const windows = fc.constantFrom(100, 333, 1_000, 1_001, 7_777)
  // The default clock's milliseconds have a fraction.
  const starts = fc.oneof(
    fc.nat(1_000_000_000),
    fc.nat(1_000_000_000).map((ms) => ms + 0.377),
  )

  it('no schedule of arrivals beats the limit', () => {
    fc.assert(
      fc.property(gaps, limits, windows, starts, (schedule, limit, window, start) => {
        const store = memoryStore({ maxKeys: 4 })
        const hit = hitOf(limiter({ limit, window }), keyOf('203.0.113.7'))
        const passed: number[] = []
        let now = SUITE_START + start
        for (const gap of schedule) {
          now += gap
          if (admitted(store.hit([hit], { now, commit: 'all' }))) passed.push(now)
        }
        expect(mostInAnyWindow(passed, window)).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 1_500 },
    )
  })

  it('a client that sends at most the limit in every 1.1 windows is never refused', () => {
    fc.assert(
      fc.property(gaps, limits, windows, starts, (schedule, limit, window, start) => {
        const store = memoryStore({ maxKeys: 4 })
        const hit = hitOf(limiter({ limit, window }), keyOf('203.0.113.7'))
        const sent: number[] = []
        let now = SUITE_START + start
        for (const gap of schedule) {
          now += gap
          // The schedule less what would break the promise.
          if (sent.filter((at) => (now - at) * 10 < window * 11).length >= limit) continue
          sent.push(now)
          expect(admitted(store.hit([hit], { now, commit: 'all' }))).toBe(true)
        }
      }),
      { numRuns: 1_500 },
    )
  })

  it.each(['sliding-window', 'fixed-window', 'token-bucket'] as const)(
    '%s: a request at Retry-After passes',
    (algorithm) => {
      fc.assert(
        fc.property(
          gaps,
          limits,
          windows,
          starts,
          fc.integer({ min: 1, max: 12 }),
          (schedule, limit, window, start, cost) => {
            const store = memoryStore({ maxKeys: 4 })
            const hit = hitOf(limiter({ limit, window, algorithm }), keyOf('203.0.113.7'), {
              cost: Math.min(cost, limit),
            })
            let now = SUITE_START + start
            for (const gap of schedule) {
              now += gap
              const [reply] = store.hit([hit], { now, commit: 'all' }) as readonly {
                admitted: boolean
                retryIn: number
              }[]
              if (reply!.admitted) continue
              expect(reply!.retryIn).toBeGreaterThan(0)
              const later = store.hit([hit], { now: now + reply!.retryIn, commit: 'all' })
              expect(admitted(later)).toBe(true)
              now += reply!.retryIn
            }
          },
        ),
        { numRuns: 700 },
      )
    },
  )
})

function admitted(replies: unknown): boolean {
  return (replies as readonly { readonly admitted: boolean }[])[0]!.admitted
}
