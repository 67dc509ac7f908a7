import { describe, IpGuardError } from './errors.ts'

/** Milliseconds, or a number with a unit: `'500ms' '60s' '15m' '24h' '30d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/**
 * Whole milliseconds of a duration, rounded up; at least 1.
 *
 * @example
 * parseDuration('15m', 'window') // 900000
 * @throws {IpGuardError} `IPGUARD_DURATION_INVALID` when it is not a positive, finite duration.
 */
export function parseDuration(value: Duration, option: string): number {
  const ms = typeof value === 'number' ? value : parseText(value)
  if (!(ms > 0) || ms > Number.MAX_SAFE_INTEGER) {
    throw new IpGuardError(
      'IPGUARD_DURATION_INVALID',
      `${option} is not a duration: ${describe(value)}. Write milliseconds above 0, or a text like '500ms', '60s', '15m', '24h', '30d'.`,
    )
  }
  return Math.ceil(ms)
}

function parseText(value: unknown): number {
  const match = typeof value === 'string' && value.length <= 24 ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) : null
  return match ? Number(match[1]) * (UNITS.get(match[2] ?? '') ?? Number.NaN) : Number.NaN
}

/** The shortest text of a duration, as used in names: `60s`, `15m`, `1d`. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const) {
    // 60 seconds stay "60s": that is how limits are spoken of.
    if (ms % size === 0 && (ms > size || unit !== 'm')) return `${ms / size}${unit}`
  }
  return `${ms}ms`
}
