import type { Address } from '../ip/address.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { type Entry, type EntryChange, entryScope } from '../store/entry.ts'
import { createEntryTable, type EntryTable, endOf } from '../store/entry-table.ts'
import type { Store } from '../store/store.ts'
import type { EventHub } from './events.ts'

export type Mode = 'enforce' | 'shadow'

/** This instance's copy of the store's entries: a banned client costs no trip. */
export interface Replica {
  readonly table: EntryTable
  /** Starts the copy at the first call. True: loaded; a promise: still loading (it never rejects). */
  ready(now: number): true | Promise<void>
  mode(): Mode
  apply(change: EntryChange, now: number): void
  /** Takes over an entry that this instance knows of before the store's announcement, unless the store has merged it into a wider one. */
  adopt(entry: Entry, now: number): void
  close(): void
}

const NOWHERE: Address = { family: 6, a: 0, b: 0, c: 0, d: 0 }

export function createReplica(
  store: Store | undefined,
  initial: Mode,
  hub: EventHub,
  clock: { now(): number },
): Replica {
  const table = createEntryTable()
  let mode = initial
  let state: undefined | true | Promise<void>
  let stop: (() => void) | undefined

  function apply(change: EntryChange, now: number): void {
    const { put = [], removed = [] } = change
    const known = hub.wants('entry')
      ? removed.filter((id) => table.remove([id]).removed?.length)
      : (table.remove(removed).removed ?? [])
    const fresh = table.put(put, now).put ?? []
    mode = table.exact('mode', NOWHERE, 0, now)?.mode ?? initial
    for (const id of known) hub.emit('entry', { change: 'removed', id })
    for (const entry of fresh) hub.emit('entry', { change: 'put', id: entry.id, entry })
  }

  async function loadPages(pages: AsyncIterable<readonly Entry[]>): Promise<void> {
    try {
      for await (const page of pages) apply({ put: page }, clock.now())
      state = true
    } catch (error) {
      // Tried again at the next check: until then decisions are degraded.
      stop?.()
      state = undefined
      hub.fail('IPGUARD_STORE_FAILED', 'The entries could not be loaded.', error)
    }
  }

  return {
    table,
    mode: () => mode,
    apply,
    adopt(entry, now) {
      const { address, length } = parsePrefix(entry.cidr)
      const held = table.match(entryScope(entry), address, now)
      const covered = held && parsePrefix(held.cidr).length <= length && endOf(held) >= endOf(entry)
      if (!covered) apply({ put: [entry] }, now)
    },
    ready(now) {
      if (state !== undefined || !store) return state ?? true
      try {
        // Watched first: what changes during the load is not lost, and putting twice is putting once.
        stop = store.entries.watch((change) => apply(change, clock.now()))
        const pages = store.entries.load()
        if (Symbol.asyncIterator in pages) state = loadPages(pages)
        else {
          for (const page of pages) apply({ put: page }, now)
          state = true
        }
        return state
      } catch (error) {
        stop?.()
        hub.fail('IPGUARD_STORE_FAILED', 'The entries could not be loaded.', error)
        return Promise.resolve()
      }
    },
    close() {
      stop?.()
    },
  }
}
