import type { Meter } from './meter.ts'

/**
 * A bucket that leaks `limit` per window: what is used sinks steadily, and up to the burst may be used at once. In any span of time at
 * most `burst + span / window * limit` pass.
 *
 * Kept as what is used, not as tokens left, so that a change of limit or burst keeps the count.
 * Row: three doubles from word 6: what was used, when, and when that will have leaked out (epoch ms).
 */
export const tokenBucket: Meter = {
  start({ floats }, at, _counter, now) {
    floats[(at + 6) / 2 + 1] = now
  },
  used({ floats }, at, counter, limit, now) {
    const i = (at + 6) / 2
    const then = floats[i + 1] as number // rows are inside
    if (now > then) {
      floats[i] = Math.max(0, (floats[i] as number) - ((now - then) / counter.window) * limit)
      floats[i + 1] = now
    }
    return floats[i] as number
  },
  add({ floats }, at, counter, limit, cost) {
    const i = (at + 6) / 2
    const used = Math.max(0, (floats[i] as number) + cost)
    floats[i] = used
    floats[i + 2] = (floats[i + 1] as number) + (used === 0 ? 0 : Math.ceil((used / limit) * counter.window))
  },
  slot: () => 0,
  resetAt({ floats }, at) {
    return floats[(at + 6) / 2 + 2] as number
  },
  freeAt({ floats }, at, counter, limit, excess) {
    // A millisecond more: the division may round down by less than one.
    return (
      (floats[(at + 6) / 2 + 1] as number) +
      (limit > 0 ? Math.ceil((excess / limit) * counter.window) + 1 : counter.window)
    )
  },
  expired({ floats }, at, _counter, now) {
    return now >= (floats[(at + 6) / 2 + 2] as number)
  },
}
