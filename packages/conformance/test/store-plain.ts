import type { StoreRequest } from '@ipguard/conformance'
import {
  createBanBook,
  createCounters,
  createEntryTable,
  type EntryChange,
  parsePrefix,
  type Store,
} from '@ipguard/core'

/** A whole store from core's parts, to be broken piece by piece. */
export function plainStore({ clock, maxKeys = 1_000, maxBans = 10_000 }: StoreRequest): Store {
  const records = new Map<string, { readonly value: string; readonly expiresAt: number }>()
  const listeners = new Set<(change: EntryChange) => void>()
  const table = createEntryTable({ maxBans })
  const tell = (change: EntryChange): void => {
    if ((change.put?.length ?? 0) + (change.removed?.length ?? 0) === 0) return
    for (const listener of listeners) listener(change)
  }
  const counters = createCounters({
    maxKeys,
    bans: createBanBook(table, (ban) => tell(table.put([ban], clock.now()))),
  })
  const live = (key: string): string | undefined => {
    const record = records.get(key)
    return record && record.expiresAt > clock.now() ? record.value : undefined
  }
  return {
    name: 'plain',
    hit: (hits, { now, commit }) => counters.hit(hits, now, commit),
    get: live,
    set(key, value, expiresAt, { ifAbsent = false } = {}) {
      if (ifAbsent && live(key) !== undefined) return false
      records.set(key, { value, expiresAt })
      return true
    },
    delete(key) {
      const was = live(key) !== undefined
      records.delete(key)
      return was
    },
    entries: {
      load: () => [[...table.list(clock.now())]],
      put: (entries) => tell(table.put(entries, clock.now())),
      remove(ids, { forgive } = {}) {
        tell(table.remove(ids))
        if (forgive !== undefined) counters.forgive(parsePrefix(forgive))
      },
      watch(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    stats: () => counters.stats(),
  }
}
