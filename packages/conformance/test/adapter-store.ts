import { createBanBook, createCounters, createEntryTable, type EntryChange, type Store } from '@ipguard/core'

/** A store of core's own parts, unbounded in time: enough for the adapters' cases, and no package that is tested with this one. */
export function partsStore(): Store {
  const listeners = new Set<(change: EntryChange) => void>()
  const table = createEntryTable({ maxBans: 100 })
  const tell = (change: EntryChange): void => {
    for (const listener of listeners) listener(change)
  }
  const counters = createCounters({ maxKeys: 100, bans: createBanBook(table, (ban) => tell(table.put([ban], 0))) })
  return {
    name: 'parts',
    hit: (hits, { now, commit }) => counters.hit(hits, now, commit),
    get: () => undefined,
    set: () => true,
    delete: () => false,
    entries: {
      load: () => [[...table.list(0)]],
      put: (entries) => tell(table.put(entries, 0)),
      remove: (ids) => tell(table.remove(ids)),
      watch(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
  }
}
