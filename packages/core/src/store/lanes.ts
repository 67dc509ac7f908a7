import { fixedWindow } from './fixed-window.ts'
import type { Counter } from './hit.ts'
import { TAG } from './key-table.ts'
import type { Meter } from './meter.ts'
import { createShelf, NARROW, type Shelf, WIDE } from './shelf.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

/** A counter's place in the tables. `tag | key.kind` marks its rows. */
export interface Lane {
  readonly counter: Counter
  readonly tag: number
  readonly meter: Meter
  readonly shelf: Shelf
  /** What the row can hold. */
  readonly most: number
  /** A sliding window short enough for `passThrough`. */
  readonly plain: boolean
}

/** Which counter counts where. */
export interface Lanes {
  readonly laneOf: (counter: Counter) => Lane
  /** By a row's tag. */
  readonly laneAt: (tag: number) => Lane | undefined
  /** The tables opened so far. */
  readonly shelves: readonly Shelf[]
}

export function createLanes(maxKeys: number): Lanes {
  const lanes: Lane[] = []
  const shelves: Shelf[] = []
  // Guards come and go (`guard.with`), so the objects are held weakly; what is kept is bounded by the number of names.
  const byCounter = new WeakMap<Counter, Lane>()
  const byId = new Map<string, Lane>()
  /** The counter asked about last, and its lane: a look-up in a WeakMap takes as long as the count itself. */
  let latest: Counter | undefined
  let latestLane: Lane | undefined
  let narrow: Shelf | undefined
  let wide: Shelf | undefined

  function laneOf(counter: Counter): Lane {
    if (latestLane !== undefined && latest === counter) return latestLane
    const lane = byCounter.get(counter) ?? openLane(counter)
    latest = counter
    latestLane = lane
    return lane
  }

  function openLane(counter: Counter): Lane {
    let lane = byId.get(counter.id)
    if (!lane) {
      const plain = counter.algorithm === 'sliding-window' && counter.window > 0 && counter.window < 2 ** 30
      lane = { counter, tag: (lanes.length + 1) << 3, ...bestFit(counter), plain }
      lanes.push(lane)
      byId.set(counter.id, lane)
    }
    byCounter.set(counter, lane)
    return lane
  }

  function bestFit({ algorithm, largest, window }: Counter): Pick<Lane, 'meter' | 'shelf' | 'most'> {
    // Without a window only strikes are kept, and no row.
    if (algorithm === 'sliding-window' && largest > 0xffff && window > 0) {
      wide ??= openShelf(WIDE)
      return { meter: slidingWindow, shelf: wide, most: 0xffffffff }
    }
    narrow ??= openShelf(NARROW)
    if (algorithm === 'sliding-window') return { meter: slidingWindow, shelf: narrow, most: 0xffff }
    return {
      meter: algorithm === 'fixed-window' ? fixedWindow : tokenBucket,
      shelf: narrow,
      most: Number.MAX_SAFE_INTEGER,
    }
  }

  function openShelf(stride: typeof NARROW | typeof WIDE): Shelf {
    const shelf = createShelf(stride, maxKeys)
    shelves.push(shelf)
    return shelf
  }

  return { laneOf, laneAt: (tag) => lanes[((tag & TAG) >> 3) - 1], shelves }
}
