import type { Entry, EntryChange } from '../store/entry.ts'
import type { EntryStore, Store } from '../store/store.ts'
import { PAUSE } from './breaker.ts'
import { type Clock, schedule } from './clock.ts'
import { nextTurn } from './deadline.ts'
import type { EventHub } from './events.ts'
import { createIdSet } from './id-set.ts'
import { CHUNK } from './unwritten.ts'

/** Brings a copy up to what the store holds: at the start, after a gap, and after the store has lost what it held. */
export interface ReplicaLoad {
  /** Starts the load at the first call. True: it is there; a promise, which never rejects: it may be soon; false: not worth the wait. */
  ready(): boolean | Promise<void>
  loaded(): boolean
  running(): boolean
  /** A check has waited in vain: none does any more until the copy is there. */
  late(): void
  again(why: 'gap' | 'lost'): void
  /** The store is back: what failed, or hangs, is tried anew. */
  retry(): void
  /** These are in the store, and must not be dropped when the load ends. */
  saw(entries: readonly Entry[]): void
  hasSeen(id: string): boolean
  close(): void
}

export interface ReplicaLoadOptions {
  readonly store: Store | undefined
  readonly hub: EventHub
  readonly clock: Clock
  /** What the copy holds now. */
  readonly list: () => Iterable<Entry>
  readonly isEmpty: () => boolean
  readonly take: (page: readonly Entry[], fresh: boolean) => void
  readonly drop: (ids: readonly string[]) => void
  /** The store is not expected to have this one. */
  readonly spared: (id: string) => boolean
  /** It was removed, and not made anew. */
  readonly isGone: (entry: Entry) => boolean
  readonly watch: (change: EntryChange) => void
  readonly done: () => void
}

/** Entries taken over or looked at in one turn of the event loop. */
const TURN = 1000
/** How long a load may stand still, in ms, before it is started anew when the store is back. */
const PATIENCE = 1000

export function createReplicaLoad(options: ReplicaLoadOptions): ReplicaLoad {
  const { store, hub, clock, list, take, drop, spared, isGone } = options
  let loaded = !store
  /** The load that is under way, and its number: one that was overtaken ends at its next step. */
  let loading: Promise<void> | undefined
  let number = 0
  let lost = false
  let isLate = false
  let isFailing = false
  let moved = 0
  let stop: (() => void) | undefined
  let cancel: (() => void) | undefined
  let closed = false
  const seen = createIdSet()

  function begin(): void {
    if (!store) return
    const { entries } = store
    const mine = ++number
    const fresh = options.isEmpty()
    cancel?.()
    cancel = undefined
    moved = clock.now()
    seen.clear()
    try {
      // Watched first, so that no change during the load is lost.
      stop ??= entries.watch(options.watch)
      const pages = loaded || lost ? undefined : entries.load()
      if (pages && !(Symbol.asyncIterator in pages)) {
        for (const page of pages) take(page, fresh)
        finish()
      } else loading = follow(entries, pages, fresh, mine).catch((error: unknown) => fail(error, mine))
    } catch (error) {
      void fail(error, mine)
    }
  }

  async function follow(
    entries: EntryStore,
    started: AsyncIterable<readonly Entry[]> | undefined,
    fresh: boolean,
    mine: number,
  ): Promise<void> {
    if (lost) await putAgain(entries, mine)
    let taken = 0
    const back: Entry[] = []
    for await (const page of started ?? entries.load()) {
      for (let i = 0; i < page.length; i += TURN) {
        if (mine !== number) return loading
        const part = page.slice(i, i + TURN)
        take(part, fresh)
        if (lost) back.push(...part.filter(isGone))
        moved = clock.now()
        taken += part.length
        if (taken < TURN) continue
        taken = 0
        await turn()
      }
    }
    // A store that came back as it once was holds what was removed since.
    await removeGone(entries, back)
    const stale: string[] = []
    let looked = 0
    for (const { id } of fresh ? [] : list()) {
      if (mine !== number) return loading
      if (!seen.has(id) && !spared(id)) stale.push(id)
      if (++looked % TURN > 0) continue
      drop(stale.splice(0))
      await turn()
    }
    if (mine !== number) return loading
    drop(stale)
    finish()
  }

  /** Everything that is live here goes to the store that has lost it; other copies do the same. */
  async function putAgain(entries: EntryStore, mine: number): Promise<void> {
    let chunk: Entry[] = []
    const write = async (): Promise<void> => {
      const put = chunk
      chunk = []
      await entries.put(put, { again: true })
      // Removed while it was on its way.
      await removeGone(entries, put)
      moved = clock.now()
    }
    for (const entry of list()) {
      if (mine !== number) return
      if (chunk.push(entry) === CHUNK) await write()
    }
    if (chunk.length > 0) await write()
  }

  async function removeGone(entries: EntryStore, some: readonly Entry[]): Promise<void> {
    const back = some.filter(isGone)
    if (back.length > 0) await entries.remove(back.map(({ id }) => id))
  }

  function finish(): void {
    loaded = true
    loading = undefined
    lost = isLate = isFailing = false
    seen.clear()
    options.done()
  }

  function fail(error: unknown, mine: number): Promise<void> | undefined {
    if (mine !== number) return loading
    loading = undefined
    // Once: it is tried again and again.
    if (!isFailing) hub.fail('IPGUARD_STORE_FAILED', 'The entries could not be loaded.', error)
    isFailing = true
    cancel = closed ? () => {} : schedule(clock, PAUSE, begin)
    return undefined
  }

  return {
    ready() {
      if (loaded) return true
      if (!loading && !cancel) begin()
      return loaded || (loading && !isLate ? loading : false)
    },
    loaded: () => loaded,
    running: () => loading !== undefined,
    late() {
      isLate = true
    },
    again(why) {
      if (why === 'lost') lost = true
      if (!closed) begin()
    },
    retry() {
      if (!closed && (cancel || (loading && clock.now() - moved > PATIENCE))) begin()
    },
    saw(entries) {
      if (loading) for (const { id } of entries) seen.add(id)
    },
    hasSeen: (id) => seen.has(id),
    close() {
      closed = true
      number++
      stop?.()
      cancel?.()
    },
  }
}

function turn(): Promise<void> {
  return new Promise(nextTurn)
}
