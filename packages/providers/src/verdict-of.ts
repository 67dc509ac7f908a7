import type { Category, Verdict } from '@ipguard/core'
import { number } from './read-json.ts'

/** What vendors write when they have nothing to say. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  '-',
  'n/a',
  'na',
  'none',
  'null',
  'undefined',
  'unknown',
  'premium required.',
])

/** A number of a source within its range, up to `max`; anything else is undefined, as it cannot be what was meant. */
export function inRange(value: unknown, max = 100): number | undefined {
  const read = number(value)
  return read !== undefined && read >= 0 && read <= max ? read : undefined
}

/** What a source wrote, as one short line that can be shown; undefined for anything else and for its words for "nothing". */
export function oneLine(value: unknown, max = 80): string | undefined {
  if (typeof value !== 'string') return undefined
  // Also the signs that turn the direction of a text, and half characters.
  const line = value
    .slice(0, max)
    .replace(/\p{C}+/gu, ' ')
    .trim()
  return PLACEHOLDERS.has(line.toLowerCase()) ? undefined : line
}

/**
 * A verdict, or undefined ("not listed") when it would say nothing: no score, no category and no detail.
 */
export function verdictOf(
  score: number,
  categories: readonly Category[],
  more: { readonly detail?: string | undefined; readonly confidence?: number | undefined } = {},
): Verdict | undefined {
  const { detail, confidence } = more
  if (score === 0 && categories.length === 0 && detail === undefined) return undefined
  return {
    score,
    ...(categories.length > 0 && { categories }),
    ...(confidence !== undefined && { confidence }),
    ...(detail !== undefined && { detail }),
  }
}
