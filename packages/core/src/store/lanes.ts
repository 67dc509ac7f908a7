import { fixedWindow } from './fixed-window.ts'
import type { Counter } from './hit.ts'
import { addRow, removeRow, TAG } from './key-table.ts'
import type { Meter } from './meter.ts'
import { createShelf, NARROW, type Shelf, WIDE } from './shelf.ts'
import { RING, slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

/** A counter's place in the tables. `tag | key.kind` marks its rows. */
export interface Lane {
  readonly counter: Counter
  readonly tag: number
  readonly meter: Meter
  /** This and what its rows can hold change when a limit of the same counter turns out to be larger. */
  shelf: Shelf
  most: number
  /** A sliding window short enough for `plainHit`. */
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
    } else if (counter.largest > lane.most) widen(lane, counter)
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

  /** Guards share a counter by its name, and one that comes later may have a larger limit. */
  function widen(lane: Lane, counter: Counter): void {
    const { shelf, most } = bestFit(counter)
    if (shelf !== lane.shelf) moveRows(lane, shelf)
    lane.shelf = shelf
    lane.most = most
  }

  function openShelf(stride: typeof NARROW | typeof WIDE): Shelf {
    const shelf = createShelf(stride, maxKeys)
    shelves.push(shelf)
    return shelf
  }

  return { laneOf, laneAt: (tag) => lanes[((tag & TAG) >> 3) - 1], shelves }
}

/** Of a sliding window, whose rows differ in the width of a count only. */
function moveRows({ tag, shelf: from }: Lane, to: Shelf): void {
  const { words, counts, table } = from
  for (let at = 0; at < table.top * table.stride && to.table.size < to.table.capacity; at += table.stride) {
    const mark = (words[at + 4] as number) & TAG // rows ever used are inside, here and below
    if (mark >> 3 !== tag >> 3) continue
    const [a, b, c, d] = words.subarray(at, at + 4) as unknown as [number, number, number, number] // four words
    const there = addRow(to.table, a, b, c, d, mark)
    to.words[there + 5] = words[at + 5] as number
    const ring = (at + 6) * from.perWord
    to.counts.set(counts.subarray(ring, ring + RING + 1), (there + 6) * to.perWord)
    removeRow(table, at)
  }
}
