import { createKeyTable, drawSeed, type KeyTable } from './key-table.ts'
import type { Cells } from './meter.ts'
import { createPlainHit, type PlainHit } from './plain-hit.ts'

/**
 * A table of counters, its views, and the state of its clock hand. The two bits above a row's tag say how often it was met lately: what is
 * met again outlives a flood of keys that come once.
 */
export interface Shelf extends Cells {
  readonly table: KeyTable
  hand: number
  /** The row that is next looked at for having expired. */
  broom: number
  /** Rows that the broom has passed since it met one that had expired, or since it rests. */
  barren: number
  /** Until when looking for more would be in vain: a whole round has found none. */
  restUntil: number
  readonly plainHit: PlainHit
}

/** Words in a row: key and tag, then a meter's payload with counts of 16 or 32 bits. */
export const NARROW = 12
export const WIDE = 18

export function createShelf(stride: typeof NARROW | typeof WIDE, maxKeys: number): Shelf {
  const table = createKeyTable(stride, maxKeys)
  const { buffer } = table.rows
  const cells: Cells = {
    words: table.rows,
    counts: stride === NARROW ? new Uint16Array(buffer) : new Uint32Array(buffer),
    perWord: stride === NARROW ? 2 : 1,
    floats: new Float64Array(buffer, 0, buffer.byteLength >> 3),
  }
  drawSeed(table)
  return { ...cells, table, hand: 0, broom: 0, barren: 0, restUntil: 0, plainHit: createPlainHit(cells, table) }
}

export function shelfBytes({ table }: Shelf): number {
  return table.rows.byteLength + table.index.byteLength
}

/** The row under the clock hand, which goes on to the next one that was ever used. */
export function turnHand(shelf: Shelf): number {
  const row = shelf.hand
  shelf.hand = row + 1 < shelf.table.top ? row + 1 : 0
  return row
}

/** The row under the broom, which goes on in the same way. */
export function turnBroom(shelf: Shelf): number {
  const row = shelf.broom
  shelf.broom = row + 1 < shelf.table.top ? row + 1 : 0
  return row
}
