import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatGoDuration, parseGoDuration } from './crowdsec-duration.ts'

it.each([
  ['3h59m55.867342531s', 14_395_867.342531],
  ['1h30m', 5_400_000],
  ['4m57.774925087s', 297_774.925087],
  ['855.8ms', 855.8],
  ['12us', 0.012],
  ['12\u00b5s', 0.012],
  ['12\u03bcs', 0.012],
  ['900ns', 0.0009],
  ['-1.313209333s', -1_313.209333],
  ['-1h2m', -3_720_000],
  ['+5s', 5_000],
  ['.5s', 500],
  ['1.s', 1_000],
  ['0s', 0],
  ['0', 0],
  ['168h', 604_800_000],
])('reads %s', (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 6)
})

it.each([
  '',
  '-',
  '7d',
  '1w',
  '5',
  '1h ',
  ' 1h',
  '1h-5m',
  'h',
  '.s',
  '1,5s',
  'NaN',
  '1e3s',
  `${'9'.repeat(70)}s`,
  5,
  null,
  {},
])('reads nothing from %j', (text) => {
  expect(parseGoDuration(text)).toBeUndefined()
})

it('reads what Go would write for any hours, minutes and seconds', () => {
  const whole = fc.nat(59)
  fc.assert(
    fc.property(fc.nat(10_000), whole, whole, fc.boolean(), (h, m, s, negative) => {
      const ms = (h * 3_600 + m * 60 + s) * 1_000
      expect(parseGoDuration(`${negative ? '-' : ''}${h}h${m}m${s}s`)).toBe(negative ? -ms : ms)
    }),
  )
})

it('writes a duration in whole seconds, rounded up, and never in days', () => {
  expect(formatGoDuration('7d', 'x')).toBe('604800s')
  expect(formatGoDuration(1_500, 'x')).toBe('2s')
  expect(() => formatGoDuration('soon' as never, 'crowdsec.ban')).toThrow('crowdsec.ban is not a duration')
})
