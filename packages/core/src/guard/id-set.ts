import { parseEntryId } from '../store/entry.ts'
import { tagOf } from '../store/entry-table.ts'
import { addRow, createKeyTable, findRow, type KeyTable } from '../store/key-table.ts'

/**
 * A set of entries' ids, held as words of one array: 200,000 texts in sets are 15 MB that the garbage collector moves about while a
 * load goes on, and each time it does the event loop stands still.
 */
export interface IdSet {
  /** Answers whether it is new. */
  add(id: string): boolean
  has(id: string): boolean
  clear(): void
}

export function createIdSet(): IdSet {
  const scopes = new Map<string, number>()
  let table: KeyTable | undefined
  return {
    add(id) {
      table ??= createKeyTable(5, 2 ** 30, 1024)
      const [name, { address, length }] = parseEntryId(id)
      const scope = scopes.get(name) ?? scopes.size + 1
      scopes.set(name, scope)
      const tag = tagOf(scope, address.family, length)
      const { a, b, c, d } = address
      if (findRow(table, a, b, c, d, tag) >= 0) return false
      addRow(table, a, b, c, d, tag)
      return true
    },
    has(id) {
      if (!table) return false
      const [name, { address, length }] = parseEntryId(id)
      const scope = scopes.get(name)
      if (scope === undefined) return false
      return findRow(table, address.a, address.b, address.c, address.d, tagOf(scope, address.family, length)) >= 0
    },
    clear() {
      table = undefined
      scopes.clear()
    },
  }
}
