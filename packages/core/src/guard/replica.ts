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
  /** Starts the copy at the first call, and again a second after it failed. True: loaded; a promise: it ends, never rejecting, with the attempt. */
  ready(now: number): true | Promise<void>
  loaded(): boolean
  mode(): Mode
  apply(change: EntryChange, now: number): void
  /** Takes over an entry that this instance knows of before the store's announcement, unless the store has merged it into a wider one. */
  adopt(entry: Entry, now: number): void
  close(): void
}

/** How long a store that could not be read is left alone, in ms. */
const PAUSE = 1000

const NOWHERE: Address = { family: 6, a: 0, b: 0, c: 0, d: 0 }

export function createReplica(
  store: Store | undefined,
  initial: Mode,
  hub: EventHub,
  clock: { now(): number },
): Replica {
  const table = createEntryTable()
  let mode = initial
  let state: true | Promise<void> | undefined = store ? undefined : true
  let again = Number.NEGATIVE_INFINITY
  let stop: (() => void) | undefined
  /** What was removed while the pages were on their way: they may still hold it. */
  const gone = new Set<string>()

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

  function put(page: readonly Entry[], now: number): void {
    apply({ put: page.filter(({ id }) => !gone.has(id)) }, now)
  }

  async function loadPages(pages: AsyncIterable<readonly Entry[]>): Promise<void> {
    try {
      for await (const page of pages) put(page, clock.now())
      state = true
      gone.clear()
    } catch (error) {
      failed(error)
    }
  }

  function failed(error: unknown): void {
    stop?.()
    state = undefined
    again = clock.now() + PAUSE
    hub.fail('IPGUARD_STORE_FAILED', 'The entries could not be loaded.', error)
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
    loaded: () => state === true,
    ready(now) {
      if (state !== undefined) return state
      if (!store || now < again) return Promise.resolve()
      try {
        // Watched first, so that no change during the load is lost.
        stop = store.entries.watch((change) => {
          if (state !== true) for (const id of change.removed ?? []) gone.add(id)
          apply(change, clock.now())
        })
        const pages = store.entries.load()
        if (Symbol.asyncIterator in pages) state = loadPages(pages)
        else {
          for (const page of pages) put(page, now)
          state = true
        }
        return state
      } catch (error) {
        failed(error)
        return Promise.resolve()
      }
    },
    close() {
      stop?.()
    },
  }
}
