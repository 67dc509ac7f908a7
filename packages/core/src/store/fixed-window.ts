import type { Meter } from './meter.ts'

/**
 * Windows that start at multiples of their length since the epoch. Cheapest to explain; up to twice the limit can pass within one
 * window's length around an edge.
 *
 * Row: two doubles from word 6: what is used, and the window's number.
 */
export const fixedWindow: Meter = {
  start({ floats }, at, counter, now) {
    floats[(at + 6) / 2 + 1] = Math.floor(now / counter.window)
  },
  used({ floats }, at, counter, _limit, now) {
    const i = (at + 6) / 2
    const number = Math.floor(now / counter.window)
    if (number > (floats[i + 1] as number)) {
      floats[i] = 0
      floats[i + 1] = number
    }
    return floats[i] as number // rows are inside
  },
  add({ floats }, at, _counter, _limit, cost, _now, slot) {
    const i = (at + 6) / 2
    if (cost < 0 && slot !== ((floats[i + 1] as number) | 0)) return
    floats[i] = Math.max(0, (floats[i] as number) + cost)
  },
  slot(counter, now) {
    return Math.floor(now / counter.window) | 0
  },
  resetAt({ floats }, at, counter) {
    return ((floats[(at + 6) / 2 + 1] as number) + 1) * counter.window
  },
  freeAt({ floats }, at, counter) {
    return ((floats[(at + 6) / 2 + 1] as number) + 1) * counter.window
  },
  expired({ floats }, at, counter, now) {
    return Math.floor(now / counter.window) > (floats[(at + 6) / 2 + 1] as number)
  },
}
