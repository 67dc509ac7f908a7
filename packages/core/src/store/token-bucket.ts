import type { Counter } from './hit.ts'
import type { Cells, Meter } from './meter.ts'

/**
 * A bucket that leaks `limit` per window: what is used sinks steadily, and up to the burst may be used at once. In any span of time at
 * most `burst + span / window * limit` pass. With a limit of 0 nothing leaks: all is forgotten a window after it was counted last.
 *
 * Kept as what is used, not as tokens left, so that a change of limit or burst keeps the count.
 * Row: three doubles from word 6: what was used, when, and when that will have leaked out (epoch ms).
 */
export const tokenBucket: Meter = {
  start({ floats }, at, _counter, now) {
    floats[(at + 6) / 2 + 1] = now
  },
  used: usedAt,
  add(cells, at, counter, limit, cost, asked) {
    const { floats } = cells
    const i = (at + 6) / 2
    // A refund goes to when the row was counted last: what leaks from the rest since then is the same.
    const last = floats[i + 1] as number // rows are inside
    const now = cost < 0 ? last : Math.max(asked, last)
    const used = Math.max(0, usedAt(cells, at, counter, limit, now) + cost)
    floats[i] = used
    floats[i + 1] = now
    floats[i + 2] = now + (used === 0 ? 0 : limit > 0 ? Math.ceil((used / limit) * counter.window) : counter.window)
  },
  slot: () => 0,
  resetAt({ floats }, at, _counter, _limit, now) {
    return Math.max(now, floats[(at + 6) / 2 + 2] as number)
  },
  freeAt({ floats }, at, counter, limit, excess, now) {
    const i = (at + 6) / 2
    const empty = floats[i + 2] as number // rows are inside
    if (limit === 0) return empty > now ? empty : now + counter.window
    // A millisecond more: the division may round down by less than one.
    return Math.max(now, floats[i + 1] as number) + Math.ceil((excess / limit) * counter.window) + 1
  },
  expired({ floats }, at, _counter, now) {
    return now >= (floats[(at + 6) / 2 + 2] as number)
  },
}

/** A pure reading, so that asking with another limit leaks nothing. */
function usedAt({ floats }: Cells, at: number, counter: Counter, limit: number, now: number): number {
  const i = (at + 6) / 2
  if (limit === 0) return now < (floats[i + 2] as number) ? (floats[i] as number) : 0
  const passed = Math.max(0, now - (floats[i + 1] as number)) // rows are inside
  return Math.max(0, (floats[i] as number) - (passed / counter.window) * limit)
}
