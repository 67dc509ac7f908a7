import type { Cells, Meter } from './meter.ts'

const PARTS = 10
export const RING = 11

/**
 * The part that was asked about last: dividing anew each time would be half of a hit's cost. Ten times where it begins and where the next one
 * does, its number, when it leaves the count, and the window. Arrays, where a double needs no object of its own; of more than 64 bytes, which
 * V8 keeps outside its heap and reads at a fixed address.
 */
export const part: Float64Array = new Float64Array(16)
/** The low 32 bits of its number, and its place in the ring. */
export const partWords: Int32Array = new Int32Array(32)

/**
 * The strict window: ten parts of a window and the one that is running, each counted whole.
 *
 * What is counted spans between one and 1.1 windows. Hence its two bounds: in any window never more than the limit; and a client that sends
 * at most the limit in every 1.1 windows is never refused. Parts start at multiples of window / 10 since the epoch, on every store.
 *
 * Row: word 5 the number of the running part (low 32 bits), then 11 counts in a ring and their sum, of 16 or 32 bits.
 */
export const slidingWindow: Meter = {
  start({ words }, at, { window }, now) {
    turnTo(window, now)
    words[at + 5] = partWords[0] as number
  },

  used(cells, at, { window }, _limit, now) {
    turnTo(window, now)
    return roll(cells, at)
  },

  add(cells, at, { window }, _limit, cost, now, slot) {
    const { counts, words } = cells
    const start = ringOf(cells, at)
    // A clock that went back counts where the row stands; a refund goes to its slot while that counts.
    const late = cost < 0 ? ((words[at + 5] as number) - slot) | 0 : 0
    if (late < 0 || late >= RING) return
    const i = start + ring(running(words, at, window, now) - late)
    const change = Math.max(cost, -(counts[i] as number))
    counts[i] = (counts[i] as number) + change
    counts[start + RING] = (counts[start + RING] as number) + change
  },

  slot({ window }, now) {
    turnTo(window, now)
    return partWords[0] as number
  },

  resetAt(cells, at, { window }, _limit, now) {
    const newest = running(cells.words, at, window, now)
    for (let i = 0; i < RING; i++) {
      if (cells.counts[ringOf(cells, at) + ring(newest - i)] !== 0) return leavesAt(window, newest - i)
    }
    return now
  },

  freeAt(cells, at, { window }, _limit, excess, now) {
    const newest = running(cells.words, at, window, now)
    for (let left = excess, i = PARTS; i >= 0; i--) {
      left -= cells.counts[ringOf(cells, at) + ring(newest - i)] as number
      if (left <= 0) return leavesAt(window, newest - i)
    }
    // More than the limit was asked for at once: it never passes.
    return leavesAt(window, newest)
  },

  expired({ words }, at, { window }, now) {
    turnTo(window, now)
    return (((partWords[0] as number) - (words[at + 5] as number)) | 0) >= RING
  },
}

/** Forgets what is past the part that was asked about last; answers what is used. */
export function roll(cells: Cells, at: number): number {
  const { counts, words } = cells
  const start = ringOf(cells, at)
  const passed = ((partWords[0] as number) - (words[at + 5] as number)) | 0 // rows are inside, here and below
  if (passed <= 0) return counts[start + RING] as number
  let sum = counts[start + RING] as number
  for (let i = 0, old = partWords[1] as number; i < passed && i < RING; i++) {
    sum -= counts[start + old] as number
    counts[start + old] = 0
    old = old === 0 ? PARTS : old - 1
  }
  counts[start + RING] = sum
  words[at + 5] = partWords[0] as number
  return sum
}

/** Where a row's ring begins in `counts`. */
function ringOf({ perWord }: Cells, at: number): number {
  return (at + 6) * perWord
}

/** Looks up the part at `now`. */
export function turnTo(window: number, now: number): void {
  const at = now * PARTS
  if (at < (part[0] as number) || at >= (part[1] as number) || window !== part[4]) turn(window, at)
}

function turn(window: number, at: number): void {
  const number = Math.floor(at / window)
  part[0] = number * window
  part[1] = part[0] + window
  part[2] = number
  part[3] = leavesAt(window, number)
  part[4] = window
  partWords[0] = number
  partWords[1] = ring(number)
}

/** The row's part in full: at most 2^31 parts from the one that runs. */
function running(words: Cells['words'], at: number, window: number, now: number): number {
  turnTo(window, now)
  return (part[2] as number) - (((partWords[0] as number) - (words[at + 5] as number)) | 0)
}

/** `part mod 11`, for parts beyond 32 bits; `%` on doubles is a slow call. */
function ring(number: number): number {
  return (number - Math.floor(number / RING) * RING) | 0
}

function leavesAt(window: number, number: number): number {
  return Math.ceil(((number + RING) * window) / PARTS)
}
