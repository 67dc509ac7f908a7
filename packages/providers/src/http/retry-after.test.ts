import { expect, it } from 'vitest'
import { retryAfterOf } from './retry-after.ts'

const NOW = Date.UTC(2026, 0, 1)

it.each([
  ['120', 120_000],
  ['0', 0],
  ['1.5', 1_500],
  [' 7 ', 7_000],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Thu, 01 Jan 2025 00:00:00 GMT', 0],
  ['999999999999999', 31 * 86_400_000],
  ['soon', undefined],
  ['', undefined],
])('Retry-After %j is %s ms', (value, ms) => {
  const headers = new Headers({ 'retry-after': value })
  expect(retryAfterOf(headers, NOW)).toBe(ms)
})

it('is nothing without the header', () => {
  expect(retryAfterOf(new Headers(), NOW)).toBe(undefined)
})
