import { expect, test } from 'vitest'
import { rateLimit } from '../policy/rate-limit.ts'
import { createBanBook } from './ban-book.ts'
import { createCounters } from './counters.ts'
import { createEntryTable } from './entry-table.ts'
import type { CounterKey } from './hit.ts'

test('when all are live the one met least makes room, also when one met more is looked at first', () => {
  const counter = rateLimit({ limit: 10, window: '60s' }).counter?.(false)
  if (!counter) throw new Error('a limit has a counter')
  const counters = createCounters({ maxKeys: 2, bans: createBanBook(createEntryTable(), () => {}) })
  const hit = (a: number): number | undefined => {
    const key: CounterKey = { kind: 4, length: 32, a, b: 0, c: 0, d: 0, text: `0.0.0.${a}` }
    return counters.hit([{ counter, key, limit: 10, cost: 1 }], 1_000_000, 'all')[0]?.remaining
  }
  // The first comes twice, the second once: the third takes the second's place.
  expect([hit(1), hit(1), hit(2), hit(3), hit(1)]).toEqual([9, 8, 9, 9, 7])
})
