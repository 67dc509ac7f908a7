import { type Duration, parseDuration } from '@ipguard/core'

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  '\u00b5s': 1e-3, // the micro sign, which Go writes
  '\u03bcs': 1e-3, // the Greek letter, which Go reads too
  ns: 1e-6,
}
const PART = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y

/**
 * Milliseconds of a duration as Go writes it (`3h59m55.867s`, `855.8ms`, `-1.2s`, `0s`), negative ones too; undefined for anything else.
 * Go knows no days.
 */
export function parseGoDuration(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > 64) return undefined
  const negative = text.startsWith('-')
  let at = negative || text.startsWith('+') ? 1 : 0
  if (text.slice(at) === '0') return 0
  if (at === text.length) return undefined
  let sum = 0
  while (at < text.length) {
    PART.lastIndex = at
    const part = PART.exec(text)
    if (!part) return undefined
    sum += Number(part[1]) * (UNITS[part[2] ?? ''] ?? Number.NaN)
    at = PART.lastIndex
  }
  return negative ? -sum : sum
}

/** A duration of ours as Go reads it: `14400s`. Rounded up to whole seconds. */
export function formatGoDuration(duration: Duration, option: string): string {
  return `${Math.ceil(parseDuration(duration, option) / 1_000)}s`
}
