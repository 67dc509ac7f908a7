import { wordMask } from './prefix.ts'
import { allocateSet, type SetBytes } from './set-bytes.ts'
import { type EntryRows, pushRow, type SetEntries } from './set-entries.ts'
import { compareKeys, rowHash, SIGN, type Table } from './set-table.ts'

/** Rows of work between two yields: under a millisecond each. */
const SLICE = 16_384

/** Length of a block that fills a word, with the label number that keeps it from being counted as an entry. */
const PROMOTED = (1 << 6) | 32

/**
 * Sorts the entries, turns them into disjoint ranges and lays these out in one buffer.
 * Yields often, so that the caller can let other work run.
 */
export function* buildSet(entries: SetEntries): Generator<void, SetBytes> {
  const labelled = entries.labels.length > 1
  const combos = new Map<number, number>()
  const swept: Sweep[] = []
  for (let i = entries.tables.length - 1; i >= 0; i--) {
    const table = entries.tables[i]
    if (table === undefined) continue
    const sweep = startSweep(table, yield* sortRows(table), labelled ? combos : undefined)
    for (let from = 0; from < table.count; from += SLICE) {
      sweepRows(sweep, from, Math.min(from + SLICE, table.count))
      yield
    }
    emitUntil(sweep, Number.POSITIVE_INFINITY)
    swept.unshift(sweep)
    const wider = entries.tables[i - 1]
    if (!labelled && table.keys > 0 && wider !== undefined) promote(sweep, wider)
  }
  const size = swept.reduce((sum, sweep) => sum + sweep.size, 0)
  const set = allocateSet(
    size,
    swept.map((sweep) => sweep.count),
    combos.size,
  )
  for (const [combo, number] of combos) set.combos[number] = combo
  for (const [i, table] of set.tables.entries()) {
    const sweep = swept[i]
    if (sweep !== undefined) yield* placeRows(table, sweep)
  }
  return set
}

/** Row numbers in the order of key words, first address, length: a stable radix sort from the last column to the first. */
function* sortRows(table: EntryRows): Generator<void, Uint32Array> {
  const { count, keys } = table
  // few rows: short counters, or clearing them would cost more than the sort
  const bits = count < 4096 ? 8 : 16
  const column = new Int32Array(count)
  const counters = new Uint32Array(2 ** bits)
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    order[i] = i
    if (i % SLICE === 0) yield
  }
  let next = new Uint32Array(count)
  for (let offset = keys + 1; offset >= 0; offset--) {
    const isLength = offset === keys + 1
    for (let from = 0; from < count; from += SLICE) {
      fillColumn(column, table, offset, from, Math.min(from + SLICE, count))
      yield
    }
    for (let shift = 0; shift < (isLength ? 1 : 32); shift += bits) {
      counters.fill(0)
      for (let from = 0; from < count; from += SLICE) {
        countDigits(column, counters, shift, from, Math.min(from + SLICE, count))
        yield
      }
      if (counters[digitOf(column[0] ?? 0, shift, counters)] === count) continue
      let start = 0
      for (let i = 0; i < counters.length; i++) {
        const held = counters[i] ?? 0
        counters[i] = start
        start += held
      }
      for (let from = 0; from < count; from += SLICE) {
        scatter(column, counters, shift, order, next, from, Math.min(from + SLICE, count))
        yield
      }
      ;[order, next] = [next, order]
    }
  }
  return order
}

function fillColumn(column: Int32Array, { rows, keys }: EntryRows, offset: number, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const value = rows[i * (keys + 2) + offset] ?? 0
    // unsigned digits in the order of signed words
    column[i] = offset > keys ? value & 63 : value ^ SIGN
  }
}

function digitOf(value: number, shift: number, counters: Uint32Array): number {
  return (value >>> shift) & (counters.length - 1)
}

function countDigits(column: Int32Array, counters: Uint32Array, shift: number, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const digit = digitOf(column[i] ?? 0, shift, counters)
    counters[digit] = (counters[digit] ?? 0) + 1
  }
}

function scatter(
  column: Int32Array,
  counters: Uint32Array,
  shift: number,
  order: Uint32Array,
  next: Uint32Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const row = order[i] ?? 0
    const digit = digitOf(column[row] ?? 0, shift, counters)
    const at = counters[digit] ?? 0
    next[at] = row
    counters[digit] = at + 1
  }
}

/** The state of one pass over sorted rows, and the disjoint ranges it has made: rows as a `Table` has them. */
interface Sweep {
  readonly input: EntryRows
  readonly order: Uint32Array
  /** Numbers of (label, length) in use; absent without labels, when ranges merge whatever their lengths. */
  readonly combos: Map<number, number> | undefined
  readonly rows: Int32Array
  readonly values: Uint32Array
  count: number
  /** Distinct entries. */
  size: number
  /** Where the row stands whose keys are the present ones, and the first range with them. */
  group: number
  groupFirst: number
  /** The first word not yet in a range; one past the largest word when none is left. */
  cursor: number
  /** Blocks that hold the cursor, each inside the one before: their last words and values. */
  depth: number
  readonly lasts: Int32Array
  readonly inside: Uint32Array
}

function startSweep(input: EntryRows, order: Uint32Array, combos: Map<number, number> | undefined): Sweep {
  // with labels a block may be cut in two by each block inside it
  const most = combos ? input.count * 2 : input.count
  return {
    input,
    order,
    combos,
    rows: new Int32Array(most * (input.keys + 2)),
    values: new Uint32Array(combos ? most : 0),
    count: 0,
    size: 0,
    group: -1,
    groupFirst: 0,
    cursor: 0,
    depth: 0,
    lasts: new Int32Array(33),
    inside: new Uint32Array(33),
  }
}

function sweepRows(sweep: Sweep, from: number, to: number): void {
  const { input, order, combos, lasts, inside } = sweep
  const { rows, keys } = input
  let previous = from > 0 ? (order[from - 1] ?? 0) * (keys + 2) : -1
  for (let i = from; i < to; i++) {
    const at = (order[i] ?? 0) * (keys + 2)
    const first = rows[at + keys] ?? 0
    const meta = rows[at + keys + 1] ?? 0
    const length = meta & 63
    if (previous < 0 || compareKeys(rows, at, rows, sweep.group, keys) !== 0) {
      emitUntil(sweep, Number.POSITIVE_INFINITY)
      sweep.group = at
      sweep.groupFirst = sweep.count
    } else if (first === rows[previous + keys] && length === ((rows[previous + keys + 1] ?? 0) & 63)) {
      continue // the same block again: the first one counts
    }
    previous = at
    if (combos || meta !== PROMOTED) sweep.size++
    emitUntil(sweep, first)
    sweep.cursor = first
    lasts[sweep.depth] = ((first ^ SIGN) | ~wordMask(length)) ^ SIGN
    inside[sweep.depth++] = combos ? comboNumber(combos, (meta >>> 6) * 256 + 32 * keys + length) : 0
  }
}

function comboNumber(combos: Map<number, number>, combo: number): number {
  const known = combos.get(combo)
  if (known === undefined) combos.set(combo, combos.size)
  return known ?? combos.size - 1
}

/** Emits what the open blocks hold before `first`, and closes those that end there. */
function emitUntil(sweep: Sweep, first: number): void {
  const { lasts, inside } = sweep
  while (sweep.depth > 0) {
    const last = lasts[sweep.depth - 1] ?? 0
    emit(sweep, Math.min(last, first - 1), inside[sweep.depth - 1] ?? 0)
    if (last >= first) return
    sweep.depth--
  }
}

/** One range from the cursor on; joins the one before where they touch and mean the same. */
function emit(sweep: Sweep, last: number, value: number): void {
  const { input, rows, values, cursor } = sweep
  if (cursor > last) return
  const { keys } = input
  const at = sweep.count * (keys + 2)
  sweep.cursor = last + 1
  if (
    sweep.count > sweep.groupFirst &&
    (rows[at - 1] ?? 0) + 1 === cursor &&
    (values[sweep.count - 1] ?? 0) === value
  ) {
    rows[at - 1] = last
    return
  }
  for (let i = 0; i < keys; i++) rows[at + i] = input.rows[sweep.group + i] ?? 0
  rows[at + keys] = cursor
  rows[at + keys + 1] = last
  values[sweep.count++] = value
}

/** Ranges that fill their whole word go to the wider table too, so that it can join them with their neighbours. */
function promote({ input, rows, count }: Sweep, wider: EntryRows): void {
  const { keys } = input
  for (let i = 0, at = 0; i < count; i++, at += keys + 2) {
    if (rows[at + keys] === SIGN && rows[at + keys + 1] === ~SIGN) {
      pushRow(wider, rows.subarray(at), rows[at + keys - 1] ?? 0, PROMOTED)
    }
  }
}

/** Copies the ranges into their buckets; the sort within a bucket stays. */
function* placeRows(table: Table, sweep: Sweep): Generator<void> {
  const { index } = table
  for (let from = 0; from < table.count; from += SLICE) {
    countBuckets(table, sweep.rows, from, Math.min(from + SLICE, table.count))
    yield
  }
  let end = 0
  for (let i = 0; i < index.length; i++) {
    end += index[i] ?? 0
    index[i] = end
    if (i % SLICE === 0) yield
  }
  // backwards, so that each counter ends as its bucket's first row
  for (let to = table.count; to > 0; to -= SLICE) {
    fillBuckets(table, sweep, Math.max(0, to - SLICE), to)
    yield
  }
}

function countBuckets({ keys, shift, index }: Table, rows: Int32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const bucket = rowHash(rows, i * (keys + 2), keys) >>> shift
    index[bucket] = (index[bucket] ?? 0) + 1
  }
}

function fillBuckets({ keys, shift, index, rows, values }: Table, sweep: Sweep, from: number, to: number): void {
  const stride = keys + 2
  for (let i = to - 1; i >= from; i--) {
    const bucket = rowHash(sweep.rows, i * stride, keys) >>> shift
    const row = (index[bucket] ?? 0) - 1
    index[bucket] = row
    for (let j = 0; j < stride; j++) rows[row * stride + j] = sweep.rows[i * stride + j] ?? 0
    if (values) values[row] = sweep.values[i] ?? 0
  }
}
