import type { Counter } from './hit.ts'

/** The typed arrays in which a table keeps its counters; all views of one buffer. */
export interface Cells {
  readonly words: Int32Array
  readonly counts: Uint16Array | Uint32Array
  /** Counts in a word. */
  readonly perWord: 1 | 2
  readonly floats: Float64Array
}

/**
 * One algorithm over the payload of a row. `at` is the row's offset in `words`; `Cells` views are indexed from it.
 * Nothing here allocates. A clock that goes back counts as standing still.
 */
export interface Meter {
  /** Makes a zeroed row ready. */
  start(cells: Cells, at: number, counter: Counter, now: number): void
  /** Forgets what is past, answers what is used. */
  used(cells: Cells, at: number, counter: Counter, limit: number, now: number): number
  /** Adds to a row that `used` was asked for at the same `now`; with a negative cost takes from what was added in `slot`. */
  add(cells: Cells, at: number, counter: Counter, limit: number, cost: number, now: number, slot: number): void
  /** Where a hit at `now` is counted, of 32 bits: the row's own word and `now` tell the rest. */
  slot(counter: Counter, now: number): number
  /** When what is in the row will be forgotten. */
  resetAt(cells: Cells, at: number, counter: Counter, limit: number, now: number): number
  /** When `excess` of what is used will be forgotten. */
  freeAt(cells: Cells, at: number, counter: Counter, limit: number, excess: number, now: number): number
  /** Nothing in the row counts any more. */
  expired(cells: Cells, at: number, counter: Counter, now: number): boolean
}
