import type { Address } from '../ip/address.ts'
import { addRow, createKeyTable, findRow, type KeyTable, removeRow, TAG } from '../store/key-table.ts'
import type { Told } from './told.ts'

/** What is known of one address. */
export interface Row {
  /** By the source's place in the book. */
  readonly told: (Told | undefined)[]
  /** When a source that could not tell may be asked about this address again; by the same place. */
  readonly retryAt: (number | undefined)[]
  /** What policies have made of it, by their place in the book. */
  readonly made: unknown[]
}

/** Rows by the words of an address, of fixed number. */
export interface VerdictTable {
  find(address: Address): Row | undefined
  /** Finds or adds a row to be changed: what was made of it is forgotten. When full, one that was not met again lately goes. */
  change(address: Address, most: number): Row
  /** Whether a policy has nothing against this address, as it has said by `pass`. */
  passes(address: Address, place: number, now: number): boolean
  /** Nothing will be held against this address until then, unless the row changes. */
  pass(address: Address, place: number, now: number, until: number): void
}

/** Key and tag, then the times of `pass` for this many policies: what most requests need is in one place, and no object is touched. */
const PASSES = 3
const STRIDE = 5 + PASSES
/** Beside the tag: met since the hand came by. */
const MET = 1 << 30

export function createVerdictTable(): VerdictTable {
  const rows: (Row | undefined)[] = []
  let keys: KeyTable | undefined
  let hand = 0
  /** The words of `pass` are seconds from here. */
  let origin = 0

  function makeRoom(table: KeyTable): void {
    for (;;) {
      const row = hand
      const offset = row * STRIDE
      hand = row + 1 < table.top ? row + 1 : 0
      const tag = table.rows[offset + 4] as number // the hand stays inside
      if (tag === 0) continue
      table.rows[offset + 4] = tag & TAG
      if (tag & MET) continue
      removeRow(table, offset)
      rows[row] = undefined
      return
    }
  }

  /** The offset of the row, or -1. */
  function meet({ family, a, b, c, d }: Address): number {
    if (keys === undefined) return -1
    const offset = findRow(keys, a, b, c, d, family)
    // Written when it changes alone: most are met again, and a row that is only read stays where the processor has it.
    if (offset >= 0 && ((keys.rows[offset + 4] as number) & MET) === 0) keys.rows[offset + 4] = family | MET // inside
    return offset
  }

  return {
    find(address) {
      const offset = meet(address)
      return offset < 0 ? undefined : rows[offset / STRIDE]
    },
    change(address, most) {
      keys ??= createKeyTable(STRIDE, 2 ** 24, 256)
      let offset = meet(address)
      if (offset < 0) {
        while (keys.size >= most) makeRoom(keys)
        const { family, a, b, c, d } = address
        offset = addRow(keys, a, b, c, d, family)
        rows[offset / STRIDE] = { told: [], retryAt: [], made: [] }
      }
      const row = rows[offset / STRIDE] as Row // of a row that is used
      row.made.length = 0
      keys.rows.fill(0, offset + 5, offset + STRIDE)
      return row
    },
    passes(address, place, now) {
      const offset = meet(address)
      // Rows are inside; `keys` is there when one was found.
      return (
        offset >= 0 && place < PASSES && ((keys as KeyTable).rows[offset + 5 + place] as number) > (now - origin) / 1000
      )
    },
    pass(address, place, now, until) {
      const offset = meet(address)
      if (offset < 0 || !keys || place >= PASSES) return
      if (origin === 0) origin = now
      keys.rows[offset + 5 + place] = Math.floor((until - origin) / 1000)
    },
  }
}
