import type { Address } from '../ip/address.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { type Entry, type EntryChange, endOf, entryScope, parseEntryId } from '../store/entry.ts'
import { createEntryTable, type EntryTable } from '../store/entry-table.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { EventHub } from './events.ts'
import { createLeftOut, type LeftOut } from './left-out.ts'
import { createReplicaLoad, type ReplicaLoad } from './replica-load.ts'
import type { Unwritten } from './unwritten.ts'

export type Mode = 'enforce' | 'shadow'

/** This instance's copy of the store's entries: a banned client costs no trip. */
export interface Replica extends Pick<ReplicaLoad, 'ready' | 'loaded' | 'late' | 'retry'> {
  readonly table: EntryTable
  /** What the copy has no room for and the store must be asked about. */
  readonly leftOut: LeftOut
  mode(): Mode
  apply(change: EntryChange, now: number): void
  /** Takes over an entry that this instance knows of before the store's announcement, unless the store has merged it into a wider one. */
  adopt(entry: Entry, now: number): void
  /** Adopts a ban that a reply tells of, unless it was removed since. */
  learn(ban: Entry, now: number): void
  /** Takes over a ban that this instance brought about without the store, which has to be told. */
  keep(ban: Entry): void
  close(): void
}

export interface ReplicaOptions {
  readonly store: Store | undefined
  readonly mode: Mode
  readonly hub: EventHub
  readonly clock: Clock
  readonly unwritten: Unwritten | undefined
  /** From how many entries on bans are left out. */
  readonly maxEntries: number
}

/** Places of a full copy that each change looks at for entries that have expired. */
const SWEPT = 64
/** Removals remembered at most while nothing is loaded. */
const REMOVALS = 10_000

const NOWHERE: Address = { family: 6, a: 0, b: 0, c: 0, d: 0 }

export function createReplica({ store, mode: initial, hub, clock, unwritten, maxEntries }: ReplicaOptions): Replica {
  const table = createEntryTable()
  const leftOut = createLeftOut()
  // A store that cannot be asked for single entries holds no more than a copy can.
  const most = store?.entries.find ? maxEntries : Number.POSITIVE_INFINITY
  let mode = initial
  /** What was removed lately, and when it was made: pages, replies and other copies may still hold it. */
  const gone = new Map<string, number>()
  const load = createReplicaLoad({
    store,
    hub,
    clock,
    list: () => table.list(clock.now()),
    isEmpty: () => table.size === 0,
    take: takePage,
    drop: (ids) => void change([], ids, clock.now()),
    spared: (id) => unwritten?.has(id) === true,
    isGone: (entry) => isGone(entry) && !held(entry.id, clock.now()),
    watch: (made) => apply(made, clock.now()),
    done: () => gone.clear(),
  })

  function held(id: string, now: number): Entry | undefined {
    const [scope, { address, length }] = parseEntryId(id)
    return table.exact(scope, address, length, now)
  }

  /** One that was made later is another. */
  function isGone(entry: Entry): boolean {
    return entry.createdAt <= (gone.get(entry.id) ?? Number.NEGATIVE_INFINITY)
  }

  /** Bans beyond the cap stay out; everything else is few, and wrong to be without. */
  function fitting(put: readonly Entry[], now: number): readonly Entry[] {
    if (put.length > most - table.size) table.sweep(now, SWEPT + 2 * put.length)
    let room = most - table.size
    if (put.length <= room) return put
    return put.filter((entry) => {
      if (held(entry.id, now)) return true
      if (room-- > 0 || entry.kind !== 'ban' || unwritten?.has(entry.id)) return true
      leftOut.add(entry)
      hub.warn({
        code: 'IPGUARD_REPLICA_FULL',
        message: `This process holds maxEntries = ${maxEntries} entries, and bans beyond are left out: the store is asked about clients without a match. Raise maxEntries.`,
      })
      return false
    })
  }

  /** Answers what was put, which is less than was asked when the copy is full. */
  function change(put: readonly Entry[], removed: readonly string[], now: number): readonly Entry[] {
    const { removed: known = [] } = table.remove(removed)
    const kept = fitting(put, now)
    const { put: fresh = [] } = table.put(kept, now)
    mode = table.exact('mode', NOWHERE, 0, now)?.mode ?? initial
    for (const id of known) hub.emit('entry', { change: 'removed', id })
    for (const entry of fresh) hub.emit('entry', { change: 'put', id: entry.id, entry })
    return kept
  }

  function apply({ put = [], removed = [], again }: EntryChange, now: number): void {
    for (const id of removed) {
      // Told twice, by who removed it and by the store: the first time it was still here.
      gone.set(id, held(id, now)?.createdAt ?? gone.get(id) ?? now)
      unwritten?.delete(id)
    }
    if (gone.size > (load.running() ? maxEntries : REMOVALS)) gone.clear()
    // While entries are loaded, and put again by those that have them, one that was removed may come back by another way.
    const news = load.running() ? put.filter((entry) => !isGone(entry)) : put
    if (gone.size > 0 && !load.running()) for (const { id } of put) gone.delete(id)
    load.saw(change(news, removed, now))
    if (again) load.again(again)
  }

  /** Takes over a page of a load: what changed since it began is newer here. `fresh`: nothing was held before. */
  function takePage(page: readonly Entry[], fresh: boolean): void {
    const now = clock.now()
    const put: Entry[] = []
    const shorter: string[] = []
    for (const entry of page) {
      if (isGone(entry) || load.hasSeen(entry.id)) continue
      const known = fresh ? undefined : held(entry.id, now)
      if (known && endOf(known) > endOf(entry) && !unwritten?.has(entry.id)) shorter.push(entry.id)
      // The same again is no news.
      if (known && isSame(known, entry)) load.saw([known])
      else put.push(entry)
    }
    const kept = change(put, shorter, now)
    // Nothing was held that could have to go.
    if (!fresh) load.saw(kept)
  }

  const replica: Replica = {
    table,
    leftOut,
    ...load,
    mode: () => mode,
    apply,
    adopt(entry, now) {
      const { address, length } = parsePrefix(entry.cidr)
      const known = table.match(entryScope(entry), address, now)
      const covered = known && parsePrefix(known.cidr).length <= length && endOf(known) >= endOf(entry)
      if (!covered) apply({ put: [entry] }, now)
    },
    learn(ban, now) {
      if (!isGone(ban)) replica.adopt(ban, now)
    },
    keep(ban) {
      unwritten?.add(ban)
      apply({ put: [ban] }, clock.now())
    },
  }
  return replica
}

function isSame(x: Entry, y: Entry): boolean {
  return (
    x.createdAt === y.createdAt &&
    x.expiresAt === y.expiresAt &&
    x.by === y.by &&
    x.reason === y.reason &&
    x.mode === y.mode
  )
}
