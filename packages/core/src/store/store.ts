import type { Awaitable } from './awaitable.ts'
import type { Entry, EntryChange } from './entry.ts'
import type { Hit, HitCommit, HitReply } from './hit.ts'

/**
 * Where counts, bans, managed lists and records live. A flat object made by a factory.
 *
 * A store never logs, never connects, never swallows an error and never repeats a call that may have counted: errors reject (or throw).
 * Deadlines and the local fall-back are the guard's business, so that every store has them. `@ipguard/conformance` holds the suite that
 * every store passes.
 */
export interface Store {
  readonly name: string
  /**
   * Reads every counter of one check and changes them together, see {@link Hit}. `now` is epoch ms; a store with a clock of its own
   * that all processes share may ignore it. `commit` says what may change:
   * - `all`: when every live hit is admitted, each consumes its cost; otherwise nothing is consumed and the refused ones strike;
   * - `refusals`: nothing is consumed; refused hits strike;
   * - `none`: nothing changes.
   */
  hit(
    hits: readonly Hit[],
    context: { readonly now: number; readonly commit: HitCommit },
  ): Awaitable<readonly HitReply[]>
  /** The record under `key`, or undefined when absent or expired. */
  get(key: string): Awaitable<string | undefined>
  /** Sets a record until `expiresAt` (epoch ms). With `ifAbsent`, only when there is none; answers whether it was set. */
  set(key: string, value: string, expiresAt: number, options?: { readonly ifAbsent?: boolean }): Awaitable<boolean>
  /** Answers whether there was such a record. */
  delete(key: string): Awaitable<boolean>
  readonly entries: EntryStore
  /** How much is held; absent when that cannot be told cheaply. */
  stats?(): Awaitable<StoreStats>
  /** Findings about the store's own configuration, each with a stable code. */
  inspect?(): Awaitable<readonly Finding[]>
  /** Ends what the store itself started (timers, watches); never a client that was handed in. */
  close?(): Awaitable<void>
}

/** The managed lists and bans, which every guard on the store keeps a copy of. */
export interface EntryStore {
  /** All unexpired entries, in pages. */
  load(): Iterable<readonly Entry[]> | AsyncIterable<readonly Entry[]>
  /**
   * Adds or replaces by `id`. A ban is never shortened: of two with one id the later end stays. With `again` a copy gives back what it held to a
   * store that lost it: what others have put or removed since, by `createdAt`, should stay as it is.
   */
  put(entries: readonly Entry[], options?: { readonly again?: boolean }): Awaitable<void>
  /** Removes by `id`; with `forgive`, also clears the strikes of every client inside that prefix. */
  remove(ids: readonly string[], options?: { readonly forgive?: string }): Awaitable<void>
  /** The unexpired ones of these ids. Asked by a guard whose copy is full; absent when the store holds no more than a copy can. */
  find?(ids: readonly string[]): Awaitable<readonly Entry[]>
  /** Resolves when every change that was made before has been told to those who watch; absent when a change is told as it is made. */
  sync?(): Awaitable<void>
  /** Calls `listener` for each change, in order, whoever made it; answers the function that ends the watch. */
  watch(listener: (change: EntryChange) => void): () => void
}

/** How full a store of counters is. */
export interface StoreStats {
  /** Counters held now, expired ones that were not swept yet included. */
  readonly counters: number
  /** Clients with at least one strike. */
  readonly strikes: number
  /** Bytes that the counters take at most. */
  readonly counterBytes: number
  /** Live counters that had to make room since the start. */
  readonly evictions: number
}

/** Something worth telling about a configuration. `code` is stable and has a page in `docs/errors/`. */
export interface Finding {
  readonly code: string
  readonly message: string
}

export type { Awaitable, Entry, EntryChange, Hit, HitCommit, HitReply }
