import {
  type Awaitable,
  type Clock,
  createBanBook,
  createCounters,
  createEntryTable,
  type Duration,
  type Entry,
  type EntryChange,
  IpGuardError,
  parsePrefix,
  type Store,
  schedule,
  systemClock,
  warnProcess,
} from '@ipguard/core'
import { LRUCache } from 'lru-cache'
import { checkMemoryStoreOptions, DEFAULTS } from './memory-store-options.ts'
import { parseSnapshot, renderSnapshot } from './snapshot-format.ts'

/** How the records of reputation begin: what was told of an address, and who asks. */
const VERDICT = /^rep(?:-lease)?:/

interface StoredRecord {
  readonly value: string
  readonly expiresAt: number
}

/** Where a snapshot is kept. `fileSnapshot()` of `@ipguard/node` keeps it in a file. */
export interface SnapshotTarget {
  /** The bytes saved last, or undefined when there are none. */
  load(): Awaitable<Uint8Array | undefined>
  /** Replaces them as a whole: a reader never sees half of it. */
  save(bytes: Uint8Array): Awaitable<void>
  /** Puts bytes aside that the store could not use, before it saves others in their place. @default they are replaced */
  keepDamaged?(): Awaitable<void>
  /** How long a change may stay unsaved. @default '1s' */
  readonly every?: Duration
}

/** The options of `memoryStore`: how much it holds, and whether bans outlive the process. */
export interface MemoryStoreOptions {
  /** Counters held at most; up to 65 bytes each. @default 100000 */
  readonly maxKeys?: number
  /** Bans held at most; when full, IPv6 siblings merge into their wider prefix, then the ban nearest its end goes. @default 100000 */
  readonly maxBans?: number
  /** Records held at most of each sort: verdicts with their leases, and all others, as of reports that were sent. @default 10000 */
  readonly maxRecords?: number
  /** Lets bans and entries survive a restart of a single process. @default none */
  readonly snapshot?: SnapshotTarget
  /** Called once for each kind of thing that ran out of room or could not be saved. @default a process warning, where the host has them */
  readonly onWarning?: (warning: { readonly code: string; readonly message: string }) => void
  /** By which records expire and snapshots are timed; counters and bans go by the guard's. @default start epoch plus a monotonic clock */
  readonly clock?: Clock
}

/**
 * The embedded store: one process, no service, all of it synchronous.
 *
 * Memory is bounded by the three caps. A flood of new clients pushes out counters that were met once, never bans. There is no timer, but
 * for one that saves a snapshot after a change; it keeps no process alive.
 *
 * @example
 * createGuard({ store: memoryStore({ maxKeys: 500_000 }), policies: [rateLimit({ limit: 60, window: '60s' })] })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { every } = checkMemoryStoreOptions(options)
  const maxKeys = options.maxKeys ?? DEFAULTS.maxKeys
  const maxBans = options.maxBans ?? DEFAULTS.maxBans
  const maxRecords = options.maxRecords ?? DEFAULTS.maxRecords
  const { snapshot, onWarning = warnProcess } = options
  const listeners = new Set<(change: EntryChange) => void>()
  const warned = new Set<string>()
  const clock = options.clock ?? systemClock()
  // Every visitor may bring a verdict, which can be had again; what another record says is said once.
  const verdicts = new LRUCache<string, StoredRecord>({ max: maxRecords })
  const others = new LRUCache<string, StoredRecord>({
    max: maxRecords,
    dispose({ expiresAt }, _key, reason) {
      if (reason === 'evict' && expiresAt > clock.now()) warnFull('maxRecords', maxRecords, 'records')
    },
  })
  /** The guard's time, as far as it is known here: by the latest hit or entry. */
  const time = new Float64Array(1) // a double in a variable would be a new object at each hit
  const latest = (): number => time[0] as number // an array of one
  let unsaved: (() => void) | undefined
  let saving: Promise<void> = Promise.resolve()
  let loaded: Promise<void> | undefined
  /** The snapshot has been read, for good or ill: until then nothing replaces it. */
  let answered = false
  let damaged = false
  /** Entries that were replaced or removed before the snapshot was read, which knows less of them. */
  const touched = new Set<string>()
  let closed = false

  const table = createEntryTable({
    maxBans,
    onFull: () =>
      warn(
        'IPGUARD_BANS_FULL',
        `The store holds maxBans = ${maxBans} bans, and the one nearest its end had to go. Raise maxBans.`,
      ),
  })
  const counters = createCounters({
    maxKeys,
    bans: createBanBook(table, (ban) => change(table.put([ban], latest()))),
    onEvict: () => warnFull('maxKeys', maxKeys, 'counters'),
  })

  function recordsOf(key: string): LRUCache<string, StoredRecord> {
    return VERDICT.test(key) ? verdicts : others
  }

  function peek(key: string): StoredRecord | undefined {
    const record = recordsOf(key).peek(key)
    return record && record.expiresAt > clock.now() ? record : undefined
  }

  function warnFull(option: string, most: number, what: string): void {
    warn(
      'IPGUARD_STORE_FULL',
      `The store holds ${option} = ${most} ${what}, and one that still counted had to go. Raise ${option}.`,
      option,
    )
  }

  function warn(code: string, message: string, kind = code): void {
    if (warned.has(kind)) return
    warned.add(kind)
    try {
      onWarning({ code, message })
    } catch {
      // Nobody is left to tell; what ran out of room is no failure of the hit.
    }
  }

  function change(made: EntryChange): void {
    if ((made.put?.length ?? 0) + (made.removed?.length ?? 0) === 0) return
    for (const listener of listeners) listener(made)
    saveSoon()
  }

  function touch(id: string): void {
    if (snapshot && !answered) touched.add(id)
  }

  function saveSoon(): void {
    if (snapshot && !closed) unsaved ??= schedule(clock, every, save)
  }

  function save(): void {
    unsaved = undefined
    // One after the other: an older snapshot must not replace a newer one.
    saving = saving.then(write)
  }

  function ready(target: SnapshotTarget): Promise<void> {
    loaded ??= load(target)
    return loaded
  }

  /** What is there already is read, or put aside, before it is replaced. */
  async function makeWay(target: SnapshotTarget): Promise<void> {
    await ready(target)
    if (!answered) {
      loaded = load(target)
      await loaded
      if (!answered) throw new Error('The snapshot could not be read.')
    }
    if (damaged) await target.keepDamaged?.()
    damaged = false
  }

  async function write(): Promise<void> {
    if (!snapshot) return
    try {
      await makeWay(snapshot)
      await snapshot.save(renderSnapshot([...table.list(latest())], latest()))
    } catch {
      // The cause is the target's own: it may name a path or hold a secret.
      warn(
        'IPGUARD_SNAPSHOT_FAILED',
        'The snapshot could not be saved: bans made now are lost at a restart. Check the snapshot target.',
      )
      saveSoon()
    }
  }

  async function load(target: SnapshotTarget): Promise<void> {
    try {
      const bytes = await target.load()
      answered = true
      const entries = bytes && parseSnapshot(bytes)
      // Changes that came first are newer. Of bans the table keeps the one that ends last, in whatever order they come.
      const older = entries?.filter(({ id }) => !touched.has(id))
      touched.clear()
      if (older) change(table.put(older, latest()))
    } catch (error) {
      damaged = answered
      const why = error instanceof IpGuardError ? error.message : 'it could not be read'
      warn('IPGUARD_SNAPSHOT_DAMAGED', `The snapshot is not used: ${why}. The store starts empty.`)
    }
  }

  return {
    name: 'memory',
    hit(hits, { now, commit }) {
      time[0] = now
      return counters.hit(hits, now, commit)
    },
    get(key) {
      const record = recordsOf(key).get(key)
      return record && record.expiresAt > clock.now() ? record.value : undefined
    },
    set(key, value, expiresAt, { ifAbsent = false } = {}) {
      if (ifAbsent && peek(key)) return false
      recordsOf(key).set(key, { value, expiresAt })
      return true
    },
    delete(key) {
      const live = peek(key) !== undefined
      recordsOf(key).delete(key)
      return live
    },
    entries: {
      load() {
        if (!snapshot) return [[...table.list(latest())]]
        return pages(ready(snapshot), () => [...table.list(latest())])
      },
      put(entries) {
        for (const { id, kind, createdAt } of entries) {
          time[0] = Math.max(latest(), createdAt)
          if (kind !== 'ban') touch(id)
        }
        change(table.put(entries, latest()))
      },
      remove(ids, { forgive } = {}) {
        for (const id of ids) touch(id)
        change(table.remove(ids))
        if (forgive !== undefined) counters.forgive(parsePrefix(forgive))
      },
      watch(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    stats: () => counters.stats(),
    async close() {
      closed = true
      if (unsaved) {
        unsaved()
        save()
      }
      await saving
    },
  }
}

async function* pages(loaded: Promise<void>, list: () => readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  await loaded
  yield list()
}
