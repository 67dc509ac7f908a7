import { expect, test } from 'vitest'
import type { Duration } from '../duration.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { createBanBook } from './ban-book.ts'
import { createCounters } from './counters.ts'
import { createEntry } from './entry.ts'
import { createEntryTable } from './entry-table.ts'
import type { Counter, CounterKey, HitReply } from './hit.ts'

const limitOf = (window: Duration, limit = 10, name = 'a'): Counter => {
  const counter = rateLimit({ name, limit, window }).counter?.(false)
  if (!counter) throw new Error('a limit has a counter')
  return counter
}
const keyOf = (a: number): CounterKey => ({ kind: 4, length: 32, a, b: 0, c: 0, d: 0, text: `0.0.0.${a}` })

test('counters that have expired make room before live ones, however they lie', () => {
  const [day, second] = [limitOf('1d'), limitOf('1s')]
  const counters = createCounters({ maxKeys: 1_000, bans: createBanBook(createEntryTable(), () => {}) })
  const hit = (counter: Counter, a: number, now: number): unknown =>
    counters.hit([{ counter, key: keyOf(a), limit: 10, cost: 1 }], now, 'all')
  for (let a = 0; a < 1_000; a++) hit(a % 4 < 2 ? day : second, a, 1_000_000)
  for (let a = 1_000; a < 1_500; a++) hit(day, a, 1_010_000)
  expect([counters.stats().counters, counters.stats().evictions]).toEqual([1_000, 0])
})

test('what a banned client gives back counts when the ban has ended', () => {
  const counter = limitOf('1d')
  const table = createEntryTable()
  const counters = createCounters({ maxKeys: 10, bans: createBanBook(table, () => {}) })
  const hit = (cost: number, now: number, slot = 0): HitReply | undefined =>
    counters.hit([{ counter, key: keyOf(1), limit: 10, cost, slot }], now, 'all')[0]
  const slot = hit(4, 1_000_000)?.slot
  const about = { kind: 'ban', createdAt: 1_000_000, expiresAt: 1_002_000, by: 'test' } as const
  table.put([createEntry(parsePrefix('0.0.0.1'), about)], 1_000_000)
  expect(hit(0, 1_000_500)).toMatchObject({ admitted: false })
  expect(hit(-3, 1_001_000, slot)).toMatchObject({ admitted: true, remaining: 9, retryIn: 0 })
  expect(hit(0, 1_002_000)?.remaining).toBe(9)
})

test('when all are live the one met least makes room, also when one met more is looked at first', () => {
  const counter = limitOf('60s')
  const counters = createCounters({ maxKeys: 2, bans: createBanBook(createEntryTable(), () => {}) })
  const hit = (a: number): number | undefined => {
    return counters.hit([{ counter, key: keyOf(a), limit: 10, cost: 1 }], 1_000_000, 'all')[0]?.remaining
  }
  // The first comes twice, the second once: the third takes the second's place.
  expect([hit(1), hit(1), hit(2), hit(3), hit(1)]).toEqual([9, 8, 9, 9, 7])
})

test('a counter whose limit turns out to be larger is one counter still, and the larger limit is exact', () => {
  const [small, other, large] = [limitOf('60s'), limitOf('60s', 10, 'b'), limitOf('60s', 100_000)]
  const counters = createCounters({ maxKeys: 10, bans: createBanBook(createEntryTable(), () => {}) })
  const hit = (counter: Counter, a: number, limit: number, cost: number, now: number): HitReply | undefined =>
    counters.hit([{ counter, key: keyOf(a), limit, cost }], now, 'all')[0]
  hit(small, 1, 10, 3, 1_000_000)
  hit(small, 1, 10, 2, 1_030_000)
  hit(small, 2, 10, 1, 1_030_000)
  hit(other, 1, 10, 9, 1_030_000)
  expect(hit(large, 1, 100_000, 90_000, 1_031_000)).toMatchObject({ admitted: true, remaining: 9_995 })
  expect(hit(small, 2, 10, 1, 1_031_000)?.remaining).toBe(8)
  expect(hit(other, 1, 10, 1, 1_031_000)?.remaining).toBe(0)
  // The first three are forgotten after 1.1 windows at most, all else counts.
  expect(hit(large, 1, 100_000, 0, 1_067_000)?.remaining).toBe(9_998)
  expect(hit(large, 1, 100_000, 9_999, 1_067_000)?.admitted).toBe(false)
  expect(counters.stats().counters).toBe(3)
})

test('a larger limit that comes in one call with a smaller one of the same counter counts with it', () => {
  const [small, large] = [limitOf('60s'), limitOf('60s', 100_000)]
  const counters = createCounters({ maxKeys: 10, bans: createBanBook(createEntryTable(), () => {}) })
  const key = keyOf(1)
  counters.hit([{ counter: small, key, limit: 10, cost: 4 }], 1_000_000, 'all')
  const both = counters.hit(
    [
      { counter: small, key, limit: 10, cost: 1 },
      { counter: large, key, limit: 100_000, cost: 70_000 },
    ],
    1_000_000,
    'all',
  )
  expect(both.map(({ admitted, remaining }) => [admitted, remaining])).toEqual([
    [true, 5],
    [true, 29_995],
  ])
})
