import type { Timing } from './measure.ts'

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A figure that the project promises, as this run has it. */
export interface Verdict {
  readonly claim: string
  readonly figure: string
  readonly pass: boolean
}

/** What a suite hands over. */
export interface Result {
  readonly title: string
  readonly notes: readonly string[]
  readonly tables: readonly Table[]
  readonly verdicts: readonly Verdict[]
}

/** The name under which ipguard runs in every suite. */
export const OURS = 'ipguard'

/** One row per contender: its time, its best round, and how many times ours it takes. */
export function timingTable(title: string, timings: readonly Timing[], unit = 'ns'): Table {
  const ours = medianOf(timings, OURS)
  return {
    title,
    columns: ['', `median ${unit}`, `best ${unit}`, 'x ours'],
    rows: timings.map(({ name, median, min }) => [name, number(median), number(min), times(median / ours)]),
  }
}

export function medianOf(timings: readonly Timing[], name: string): number {
  return timings.find((timing) => timing.name === name)?.median ?? Number.NaN
}

/** A peer's time over ours must reach `least`. */
export function atLeast(claim: string, ratio: number, least: number): Verdict {
  return { claim: `${claim} >= ${least}x`, figure: times(ratio), pass: ratio >= least }
}

export function atMost(claim: string, value: number, most: number, unit: string): Verdict {
  return { claim: `${claim} <= ${number(most)}${unit}`, figure: `${number(value)}${unit}`, pass: value <= most }
}

export function number(value: number): string {
  if (!Number.isFinite(value)) return '-'
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}

export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `x${ratio.toFixed(ratio >= 100 ? 0 : ratio >= 10 ? 1 : 2)}` : '-'
}
