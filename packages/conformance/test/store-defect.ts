import type { StoreRequest } from '@ipguard/conformance'
import type { Entry, Hit, HitCommit, HitReply, Store } from '@ipguard/core'

/** What a store may get wrong, each as a change to a right one. */
export interface StoreDefect {
  readonly name: string
  /** Starts of the names of the cases that fail, and no others. */
  readonly fails: readonly string[]
  break(store: Store, request: StoreRequest): Store
}

type Answer = readonly HitReply[]

/** The store with its hits changed on the way in, or its replies on the way out. */
export function hits(
  store: Store,
  change: (
    hits: readonly Hit[],
    now: number,
    commit: HitCommit,
    ask: (hits: readonly Hit[], commit?: HitCommit, now?: number) => Answer,
  ) => Answer,
): Store {
  return {
    ...store,
    hit: (all, { now, commit }) =>
      // The plain store is synchronous.
      change(all, now, commit, (some, how = commit, at = now) => store.hit(some, { now: at, commit: how }) as Answer),
  }
}

/** The store with its entries changed. */
export function entries(store: Store, change: Partial<Store['entries']>): Store {
  return { ...store, entries: { ...store.entries, ...change } }
}

/** What was put and not removed, the ended ones too. */
export function everPut(store: Store): ReadonlyMap<string, Entry> {
  const all = new Map<string, Entry>()
  store.entries.watch(({ put = [], removed = [] }) => {
    for (const id of removed) all.delete(id)
    for (const entry of put) all.set(entry.id, entry)
  })
  return all
}
