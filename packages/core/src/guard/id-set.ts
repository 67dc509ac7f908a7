import { parseEntryId } from '../store/entry.ts'
import { tagOf } from '../store/entry-table.ts'
import { addRow, createKeyTable, findRow, hash, type KeyTable } from '../store/key-table.ts'

/**
 * A set of entries' ids, held as words of arrays: texts in sets are moved about by the garbage collector while a load goes on, and the
 * event loop stands still meanwhile.
 */
export interface IdSet {
  /** Answers whether it is new. */
  add(id: string): boolean
  has(id: string): boolean
  clear(): void
}

/** A power of two. One large table would stand still for its new memory when it doubles. */
const SHARDS = 64

/**
 * Makes an empty set of entries' ids; a store with a feed knows its own bans by it.
 *
 * @throws {IpGuardError} when `add` or `has` is given a text that is no entry's id
 */
export function createIdSet(): IdSet {
  const scopes = new Map<string, number>()
  const shards: KeyTable[] = []
  return {
    add(id) {
      const [name, { address, length }] = parseEntryId(id)
      const scope = scopes.get(name) ?? scopes.size + 1
      scopes.set(name, scope)
      const { family, a, b, c, d } = address
      const tag = tagOf(scope, family, length)
      const i = shardOf(a, b, c, d)
      // Of different sizes, so that they do not all double in the same turn.
      shards[i] ??= createKeyTable(5, 2 ** 30, SHARDS + i)
      if (findRow(shards[i], a, b, c, d, tag) >= 0) return false
      addRow(shards[i], a, b, c, d, tag)
      return true
    },
    has(id) {
      if (shards.length === 0) return false
      const [name, { address, length }] = parseEntryId(id)
      const scope = scopes.get(name)
      const { family, a, b, c, d } = address
      const shard = shards[shardOf(a, b, c, d)]
      return shard !== undefined && scope !== undefined && findRow(shard, a, b, c, d, tagOf(scope, family, length)) >= 0
    },
    clear() {
      shards.length = 0
      scopes.clear()
    },
  }
}

function shardOf(a: number, b: number, c: number, d: number): number {
  return hash(0, a, b, c, d, 0) & (SHARDS - 1)
}
