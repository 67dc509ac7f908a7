import { expect, test } from 'vitest'
import type { Duration } from '../duration.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { createBanBook } from './ban-book.ts'
import { createCounters } from './counters.ts'
import { createEntry } from './entry.ts'
import { createEntryTable } from './entry-table.ts'
import type { Counter, CounterKey, HitReply } from './hit.ts'

const limitOf = (window: Duration): Counter => {
  const counter = rateLimit({ limit: 10, window }).counter?.(false)
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
