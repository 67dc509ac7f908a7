import type { EntryRows, SetEntries, SetText } from './set-entries.ts'
import { openTable, SLICE, sharesBits, type Table } from './set-table.ts'

/** Everything that a set is. */
export interface SetParts extends SetText {
  /** Distinct entries. */
  readonly size: number
  /** IPv4 and IPv6. */
  readonly tables: readonly [Table, Table]
}

/** Sorts the entries and makes tables of them. Yields often, so that the caller can let other work run. */
export function* buildSet({ tables: [v4, v6], labels, masked }: SetEntries): Generator<void, SetParts> {
  const one = yield* buildTable(v4, labels.length > 1)
  const other = yield* buildTable(v6, labels.length > 1)
  return { size: one.size + other.size, tables: [one.table, other.table], labels, masked }
}

/** The result of work that may be cut in slices, in one go. */
export function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/** With labels every block is kept; without them a block in another one is dropped, and two halves become one. */
function* buildTable(
  entries: EntryRows,
  labelled: boolean,
): Generator<void, { readonly size: number; readonly table: Table }> {
  const { stride, end, width } = entries
  const sorted = yield* sortRows(entries)
  const step = width + 1
  const rows = new Uint32Array((end / stride) * step)
  let count = 0
  let size = 0
  for (let at = 0; at < end; at += stride) {
    if ((at & SLICE) < stride) yield
    const meta = sorted[at + stride - 1] ?? 0
    const length = meta & 255
    // the same block again: the first one counts
    if (at > 0 && length === ((sorted[at - 1] ?? 0) & 255) && sharesBits(sorted, at, sorted, at - stride, length))
      continue
    size++
    const before = (count - 1) * step
    if (!labelled && count > 0 && sharesBits(rows, before, sorted, at, rows[before + width] ?? 0)) continue
    for (let i = 0; i < width; i++) rows[count * step + i] = sorted[at + i] ?? 0
    rows[count * step + width] = meta
    for (let last = count++ * step; !labelled && last > 0; last -= step) {
      const half = rows[last + width] ?? 0
      if (half !== rows[last - 1] || !sharesBits(rows, last, rows, last - step, half - 1)) break
      rows[last - 1] = half - 1
      count--
    }
  }
  return { size, table: yield* openTable(width, rows.slice(0, count * step), labelled) }
}

/** Rows in the order of address, then length: a stable radix sort from the last digit to the first. */
function* sortRows({ rows, stride, end, width }: EntryRows): Generator<void, Uint32Array> {
  // half as many passes over many rows; over few, clearing the longer counters would cost more
  const bits = end < 8 * SLICE ? 8 : 16
  const counters = new Uint32Array(2 ** bits)
  let from = rows
  let to: Uint32Array = new Uint32Array(end)
  for (let word = width; word >= 0; word--) {
    // first the length alone, in the last column; the words between are zero
    const column = word < width ? word : stride - 1
    const mask = word < width ? counters.length - 1 : 255
    for (let shift = 0; shift < (word < width ? 32 : 8); shift += bits) {
      counters.fill(0)
      for (let at = column; at < end; at += stride) {
        const digit = ((from[at] ?? 0) >>> shift) & mask
        counters[digit] = (counters[digit] ?? 0) + 1
        if ((at & SLICE) < stride) yield
      }
      if (counters.includes(end / stride)) continue
      let start = 0
      for (let i = 0; i < counters.length; i++) {
        const held = counters[i] ?? 0
        counters[i] = start
        start += held
      }
      for (let at = 0; at < end; at += stride) {
        const digit = ((from[at + column] ?? 0) >>> shift) & mask
        const row = counters[digit] ?? 0
        counters[digit] = row + 1
        for (let i = 0; i < width; i++) to[row * stride + i] = from[at + i] ?? 0
        to[row * stride + stride - 1] = from[at + stride - 1] ?? 0
        if ((at & SLICE) < stride) yield
      }
      ;[from, to] = [to, from]
    }
  }
  return from
}
