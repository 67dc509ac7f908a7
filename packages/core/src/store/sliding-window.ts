import type { Counter } from './hit.ts'
import type { Cells, Meter } from './meter.ts'

const PARTS = 10
const RING = PARTS + 1

/**
 * The strict window: ten parts of a window and the one that is running, each counted whole.
 *
 * What is counted spans between one and 1.1 windows. Hence its two bounds: in any window never more than the limit; and a client that sends
 * at most the limit in every 1.1 windows is never refused. Parts start at multiples of window / 10 since the epoch, on every store.
 *
 * Row: word 5 the number of the running part (low 32 bits), then 11 counts in a ring and their sum; `perWord` counts to a word.
 */
export function slidingWindow(perWord: 1 | 2): Meter {
  const base = (at: number): number => (at + 6) * perWord

  return {
    start({ words }, at, counter, now) {
      words[at + 5] = partAt(counter, now)
    },

    used(cells, at, counter, _limit, now) {
      const { counts, words } = cells
      const start = base(at)
      const part = partAt(counter, now)
      const passed = (part - (words[at + 5] as number)) | 0 // rows are inside, here and below
      if (passed <= 0) return counts[start + RING] as number
      if (passed >= RING) counts.fill(0, start, start + RING + 1)
      else {
        let sum = counts[start + RING] as number
        let place = ring(part)
        for (let i = 0; i < passed; i++) {
          sum -= counts[start + place] as number
          counts[start + place] = 0
          place = place === 0 ? PARTS : place - 1
        }
        counts[start + RING] = sum
      }
      words[at + 5] = part
      return counts[start + RING] as number
    },

    add({ counts, words }, at, _counter, _limit, cost, slot) {
      // The row's own part: later than the slot when the clock went back or a refund comes late.
      const late = ((words[at + 5] as number) - slot) | 0
      if (cost < 0 && late >= RING) return
      const place = base(at) + ring(cost < 0 ? slot : slot + Math.max(late, 0))
      const change = Math.max(cost, -(counts[place] as number))
      counts[place] = (counts[place] as number) + change
      counts[base(at) + RING] = (counts[base(at) + RING] as number) + change
    },

    slot: partAt,

    resetAt({ counts, words }, at, counter, _limit, now) {
      const newest = running(words, at, counter, now)
      for (let i = 0; i < RING; i++) {
        if (counts[base(at) + ring(newest - i)] !== 0) return leavesAt(counter, newest - i)
      }
      return now
    },

    freeAt({ counts, words }, at, counter, _limit, excess, now) {
      const newest = running(words, at, counter, now)
      for (let left = excess, i = PARTS; i >= 0; i--) {
        left -= counts[base(at) + ring(newest - i)] as number
        if (left <= 0) return leavesAt(counter, newest - i)
      }
      // More than the limit was asked for at once: it never passes.
      return leavesAt(counter, newest)
    },

    expired({ words }, at, counter, now) {
      return ((partAt(counter, now) - (words[at + 5] as number)) | 0) >= RING
    },
  }
}

function partAt(counter: Counter, now: number): number {
  return Math.floor((now * PARTS) / counter.window)
}

/** The row's part in full: at most 2^31 parts from now. */
function running(words: Cells['words'], at: number, counter: Counter, now: number): number {
  const part = partAt(counter, now)
  return part - ((part - (words[at + 5] as number)) | 0)
}

/** `part mod 11`, for parts beyond 32 bits; `%` on doubles is a slow call. */
function ring(part: number): number {
  return part - Math.floor(part / RING) * RING
}

function leavesAt(counter: Counter, part: number): number {
  return Math.ceil(((part + RING) * counter.window) / PARTS)
}
