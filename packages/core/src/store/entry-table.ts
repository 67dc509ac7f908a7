import type { Address } from '../ip/address.ts'
import { maskAddress, parsePrefix } from '../ip/prefix.ts'
import {
  createEntry,
  type Entry,
  type EntryChange,
  endOf,
  entryScope,
  isLive,
  laterFirst,
  latestEnd,
  parseEntryId,
  withoutPlace,
} from './entry.ts'
import { addRow, createKeyTable, findRow, removeRow } from './key-table.ts'

/** Entries found by address: the store's own, and the copy that each guard reads. */
export interface EntryTable {
  readonly size: number
  readonly bans: number
  /** Adds entries; of two bans with one id the later end stays. Answers what changed, which is more than was asked when the cap is reached. */
  put(entries: readonly Entry[], now: number): EntryChange
  remove(ids: readonly string[]): EntryChange
  /** The entry of this scope that covers the address; of several, the one that ends last. */
  match(scope: string, address: Address, now: number): Entry | undefined
  /** The entry of this scope on exactly this prefix. */
  exact(scope: string, address: Address, length: number, now: number): Entry | undefined
  /** Bans of the same scope on the prefixes that share the next shorter one (8 bits), the given one included. */
  siblings(ban: Entry, now: number): readonly Entry[]
  /** All unexpired entries. */
  list(now: number): IterableIterator<Entry>
  /** Looks at so many places, where the last sweep ended, and forgets entries that have expired. */
  sweep(now: number, places: number): void
}

/** How many bans a table holds, and who is told when it is full. */
export interface EntryTableOptions {
  /** Bans held at most. @default Infinity: as many as are put (a copy follows its store's cap) */
  readonly maxBans?: number
  /** Called once for each entry that had to go before its end. */
  readonly onFull?: (gone: Entry) => void
}

/** The entries of one scope: how many there are of each prefix length, so that a look-up probes only lengths that occur. */
interface Scope {
  readonly number: number
  readonly counts: Int32Array
  lengths4: readonly number[]
  lengths6: readonly number[]
}

const STRIDE = 5
const SIX = 64

/** The length of the prefix into which siblings merge; 0: none. IPv4 hosts share a /24 with strangers, so they never merge by themselves. */
export function parentLength(family: 4 | 6, length: number, ipv4 = false): number {
  if (family === 4) return ipv4 && length === 32 ? 24 : 0
  return length === 64 ? 56 : length === 56 ? 48 : 0
}

/**
 * Makes an empty table of bans and allows, for a store that holds them in this process.
 *
 * A look-up is synchronous. It never holds more than `maxBans`: those nearest their end leave first.
 */
export function createEntryTable(options: EntryTableOptions = {}): EntryTable {
  const maxBans = options.maxBans ?? Number.POSITIVE_INFINITY
  const table = createKeyTable(STRIDE, 2 ** 30, 1024)
  const values: (Entry | undefined)[] = []
  const scopes = new Map<string, Scope>()
  /** Data, not getters: a getter of an object literal costs 14 ns, and every check asks twice. */
  const counts = { size: 0, bans: 0 }
  let hand = 0
  /** Bans were added whose siblings nobody looked for. */
  let unmerged = false
  /** The bans nearest their end, latest first, so that a full table is not searched for each new ban. */
  let doomed: Entry[] = []

  function scopeOf(name: string): Scope {
    let scope = scopes.get(name)
    if (!scope) {
      scope = { number: scopes.size + 1, counts: new Int32Array(SIX + 129), lengths4: [], lengths6: [] }
      scopes.set(name, scope)
    }
    return scope
  }

  function recount(scope: Scope, address: Address, length: number, change: 1 | -1): void {
    const i = address.family === 6 ? SIX + length : length
    const count = (scope.counts[i] as number) + change // 0-32 and 64-192 are inside
    scope.counts[i] = count
    if (count > 1 || (count === 1 && change < 0)) return
    const lengths = (from: number, to: number): number[] => {
      const out: number[] = []
      for (let n = to; n >= from; n--) if (scope.counts[n] !== 0) out.push(n - from)
      return out
    }
    scope.lengths4 = lengths(0, 32)
    scope.lengths6 = lengths(SIX, SIX + 128)
  }

  function rowOf(scope: Scope, address: Address, length: number): number {
    const m = maskAddress(address, length)
    return findRow(table, m.a, m.b, m.c, m.d, tagOf(scope.number, m.family, length))
  }

  function at(scope: Scope, address: Address, length: number, now: number): Entry | undefined {
    const row = rowOf(scope, address, length)
    const entry = row < 0 ? undefined : values[row / STRIDE]
    return entry && isLive(entry, now) ? entry : undefined
  }

  function insert(entry: Entry): void {
    const { address, length } = parsePrefix(entry.cidr)
    const scope = scopeOf(entryScope(entry))
    let row = rowOf(scope, address, length)
    if (row < 0) {
      row = addRow(table, address.a, address.b, address.c, address.d, tagOf(scope.number, address.family, length))
      recount(scope, address, length, 1)
      counts.size++
      if (entry.kind === 'ban') counts.bans++
    }
    values[row / STRIDE] = entry
    const latest = doomed[0]
    if (entry.kind === 'ban' && latest && endOf(entry) < endOf(latest)) {
      let i = doomed.length
      while (endOf(doomed[i - 1] ?? latest) < endOf(entry)) i--
      doomed.splice(i, 0, entry)
      // The rest still are all that end before its first; what goes by itself must not pile up here.
      if (doomed.length > 2 * doomedLength()) doomed.shift()
    }
  }

  function drop(entry: Entry): boolean {
    const { address, length } = parsePrefix(entry.cidr)
    const scope = scopeOf(entryScope(entry))
    const row = rowOf(scope, address, length)
    if (row < 0) return false
    removeRow(table, row)
    values[row / STRIDE] = undefined
    recount(scope, address, length, -1)
    counts.size--
    if (entry.kind === 'ban') counts.bans--
    return true
  }

  function siblings(ban: Entry, now: number): Entry[] {
    const { address, length } = parsePrefix(ban.cidr)
    const parent = parentLength(address.family, length, true)
    if (parent === 0) return []
    const scope = scopeOf(entryScope(ban))
    const base = maskAddress(address, parent)
    const found: Entry[] = []
    // The eight bits lie in one word: a /32 of a /24 ends `a`, a /56 or /64 lies in `b`.
    for (let i = 0; i < 256; i++) {
      const word = address.family === 4 ? { ...base, a: base.a | i } : { ...base, b: base.b | (i << (64 - length)) }
      const entry = at(scope, word, length, now)
      if (entry) found.push(entry)
    }
    return found
  }

  /** Turns the ban's siblings into one ban of their wider prefix; answers whether there were any. */
  function merge(ban: Entry, now: number, change: Change): boolean {
    const { address, length } = parsePrefix(ban.cidr)
    const parent = parentLength(address.family, length)
    const group = parent === 0 ? [] : siblings(ban, now)
    if (group.length < 2) return false
    const wider = createEntry({ address, length: parent }, { ...withoutPlace(ban), ...latestEnd(group) })
    for (const entry of group) if (drop(entry)) change.removed.push(entry.id)
    change.put.push(store(wider, now) ?? wider)
    return true
  }

  function mergeAll(now: number, change: Change): void {
    unmerged = false
    for (const length of ['/64', '/56']) {
      for (const entry of values) {
        if (entry?.kind === 'ban' && entry.cidr.endsWith(length) && held(entry) === entry) merge(entry, now, change)
      }
      if (counts.bans < maxBans) return
    }
  }

  /** What is held under the entry's id, live or not. */
  function held(entry: Entry): Entry | undefined {
    const { address, length } = parsePrefix(entry.cidr)
    const row = rowOf(scopeOf(entryScope(entry)), address, length)
    return row < 0 ? undefined : values[row / STRIDE]
  }

  function doomedLength(): number {
    return Math.max(64, counts.bans >> 6)
  }

  function makeRoom(now: number, change: Change): void {
    if (unmerged) mergeAll(now, change)
    while (counts.bans >= maxBans) {
      const next = doomed.pop()
      if (!next) {
        doomed = [...listAll()]
          .filter((entry) => entry.kind === 'ban')
          .sort(laterFirst)
          .slice(-doomedLength())
        continue
      }
      if (held(next) !== next || !drop(next)) continue
      change.removed.push(next.id)
      if (isLive(next, now)) options.onFull?.(next)
    }
  }

  /** Stores an entry unless a ban with a later end is there already; answers the one that stays when that is another. */
  function store(entry: Entry, now: number): Entry | undefined {
    const { address, length } = parsePrefix(entry.cidr)
    const before = at(scopeOf(entryScope(entry)), address, length, now)
    if (before && entry.kind === 'ban' && endOf(before) >= endOf(entry)) return before
    insert(entry)
    return undefined
  }

  function sweep(now: number, places: number): void {
    for (let i = Math.min(places, values.length); i > 0; i--) {
      hand = hand + 1 < values.length ? hand + 1 : 0
      const entry = values[hand]
      if (entry && !isLive(entry, now)) drop(entry)
    }
  }

  function* listAll(): IterableIterator<Entry> {
    for (const entry of values) if (entry) yield entry
  }

  return Object.assign<typeof counts, Omit<EntryTable, keyof typeof counts>>(counts, {
    put(entries, now) {
      const change: Change = { put: [], removed: [] }
      for (const entry of entries) {
        sweep(now, 2)
        const isBan = entry.kind === 'ban'
        // One that is there already takes no more room.
        if (isBan && counts.bans >= maxBans && !held(entry)) makeRoom(now, change)
        if (store(entry, now)) continue
        // Near the cap each new ban looks for siblings; below it nobody pays for that.
        const crowded = isBan && counts.bans > maxBans - (maxBans >> 3)
        if (crowded && merge(entry, now, change)) continue
        if (isBan && !crowded) unmerged = true
        change.put.push(entry)
      }
      return change
    },
    remove(ids) {
      const removed = ids.filter((id) => {
        const [scope, prefix] = parseEntryId(id)
        const row = rowOf(scopeOf(scope), prefix.address, prefix.length)
        const entry = row < 0 ? undefined : values[row / STRIDE]
        return entry !== undefined && drop(entry)
      })
      return { removed }
    },
    match(name, address, now) {
      const scope = scopes.get(name)
      if (!scope) return undefined
      let found: Entry | undefined
      for (const length of address.family === 4 ? scope.lengths4 : scope.lengths6) {
        const entry = at(scope, address, length, now)
        if (entry && (!found || endOf(entry) > endOf(found))) found = entry
      }
      return found
    },
    exact(name, address, length, now) {
      const scope = scopes.get(name)
      return scope && at(scope, address, length, now)
    },
    siblings,
    *list(now) {
      for (const entry of listAll()) if (isLive(entry, now)) yield entry
    },
    sweep,
  })
}

interface Change {
  readonly put: Entry[]
  readonly removed: string[]
}

/** Family and length of a prefix and the number of its scope, from 1, as a key table's tag. */
export function tagOf(scope: number, family: 4 | 6, length: number): number {
  return (scope << 9) | (family === 6 ? 256 : 0) | length
}
