import type { Counter } from './hit.ts'
import type { Cells, Meter } from './meter.ts'

const PARTS = 10
const RING = PARTS + 1

/**
 * What was asked about last: the time and the window; then the part that they are in and when that leaves. One hit asks three times, and
 * the divisions would be half of its cost (115 ns a hit, 55 with this). In an array, where a double needs no object of its own.
 */
const asked = new Float64Array(4).fill(-1)
/** That part's place in the ring, and its low 32 bits. */
let askedPlace = 0
let askedWord = 0

/**
 * The strict window: ten parts of a window and the one that is running, each counted whole.
 *
 * What is counted spans between one and 1.1 windows. Hence its two bounds: in any window never more than the limit; and a client that sends
 * at most the limit in every 1.1 windows is never refused. Parts start at multiples of window / 10 since the epoch, on every store.
 *
 * Row: word 5 the number of the running part (low 32 bits), then 11 counts in a ring and their sum, of 16 or 32 bits.
 */
export const slidingWindow: Meter = {
  start({ words }, at, counter, now) {
    words[at + 5] = partAt(counter, now)
  },

  used(cells, at, counter, _limit, now) {
    const { counts, words } = cells
    const start = ringOf(cells, at)
    const part = partAt(counter, now)
    const passed = (part - (words[at + 5] as number)) | 0 // rows are inside, here and below
    if (passed <= 0) return counts[start + RING] as number
    if (passed >= RING) counts.fill(0, start, start + RING + 1)
    else {
      let sum = counts[start + RING] as number
      let place = askedPlace
      for (let i = 0; i < passed; i++) {
        sum -= counts[start + place] as number
        counts[start + place] = 0
        place = place === 0 ? PARTS : place - 1
      }
      counts[start + RING] = sum
    }
    words[at + 5] = askedWord
    return counts[start + RING] as number
  },

  add(cells, at, _counter, _limit, cost, slot) {
    const { counts, words } = cells
    const start = ringOf(cells, at)
    let place = start + askedPlace
    // Else the clock went back, or it is a refund: the row's own part may be later than the slot.
    if (slot !== asked[2] || words[at + 5] !== askedWord) {
      const late = ((words[at + 5] as number) - slot) | 0
      if (cost < 0 && late >= RING) return
      place = start + ring(cost < 0 ? slot : slot + Math.max(late, 0))
    }
    const count = counts[place] as number
    const change = Math.max(cost, -count)
    counts[place] = count + change
    counts[start + RING] = (counts[start + RING] as number) + change
  },

  slot: partAt,

  resetAt(cells, at, counter, _limit, now) {
    const { counts, words } = cells
    const start = ringOf(cells, at)
    const part = partAt(counter, now)
    if (words[at + 5] === askedWord && counts[start + askedPlace] !== 0) return asked[3] as number
    const newest = running(words, at, part)
    for (let i = 0; i < RING; i++) {
      if (counts[start + ring(newest - i)] !== 0) return leavesAt(counter.window, newest - i)
    }
    return now
  },

  freeAt(cells, at, counter, _limit, excess, now) {
    const newest = running(cells.words, at, partAt(counter, now))
    for (let left = excess, i = PARTS; i >= 0; i--) {
      left -= cells.counts[ringOf(cells, at) + ring(newest - i)] as number
      if (left <= 0) return leavesAt(counter.window, newest - i)
    }
    // More than the limit was asked for at once: it never passes.
    return leavesAt(counter.window, newest)
  },

  expired({ words }, at, counter, now) {
    return ((partAt(counter, now) - (words[at + 5] as number)) | 0) >= RING
  },
}

/** Where a row's ring begins in `counts`. */
function ringOf({ perWord }: Cells, at: number): number {
  return (at + 6) * perWord
}

function partAt({ window }: Counter, now: number): number {
  if (asked[0] !== now || asked[1] !== window) {
    const part = Math.floor((now * PARTS) / window)
    asked[0] = now
    asked[1] = window
    asked[2] = part
    asked[3] = leavesAt(window, part)
    askedPlace = ring(part)
    askedWord = part | 0
  }
  return asked[2] as number // an array of four
}

/** The row's part in full: at most 2^31 parts from the one that runs. */
function running(words: Cells['words'], at: number, part: number): number {
  return part - ((part - (words[at + 5] as number)) | 0)
}

/** `part mod 11`, for parts beyond 32 bits; `%` on doubles is a slow call. */
function ring(part: number): number {
  return (part - Math.floor(part / RING) * RING) | 0
}

function leavesAt(window: number, part: number): number {
  return Math.ceil(((part + RING) * window) / PARTS)
}
