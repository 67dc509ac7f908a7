import { expect, test } from 'vitest'
import { type Duration, formatDuration, parseDuration } from './duration.ts'

test.each<[Duration, number]>([
  [250, 250],
  [0.2, 1],
  ['500ms', 500],
  ['60s', 60_000],
  ['15m', 900_000],
  ['1.5h', 5_400_000],
  ['30d', 2_592_000_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text, 'x')).toBe(ms)
})

test.each([
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e17,
  '',
  '60',
  '60 s',
  's',
  '-1s',
  '1w',
  '1e3s',
  '0s',
  `${'9'.repeat(30)}s`,
  null,
  {},
  true,
])('%s is refused, and the message says what to write', (value) => {
  // Callers in JavaScript pass anything.
  expect(() => parseDuration(value as Duration, 'window')).toThrow(
    /^window is not a duration: .*Write milliseconds above 0, or a text like '500ms'/,
  )
})

test.each([
  [60_000, '60s'],
  [90_000, '90s'],
  [120_000, '2m'],
  [3_600_000, '1h'],
  [86_400_000, '1d'],
  [1_500, '1500ms'],
])('%i ms is written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})
