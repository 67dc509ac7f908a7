import { type Entry, isLive } from '../store/entry.ts'
import type { Store } from '../store/store.ts'
import { PAUSE } from './breaker.ts'
import { type Clock, schedule } from './clock.ts'

/** Bans that this instance brought about by itself while the store was away, until the store has them. */
export interface Unwritten {
  has(id: string): boolean
  add(ban: Entry): void
  delete(id: string): void
  /** Writes them now. */
  write(): Promise<void>
  close(): void
}

export interface UnwrittenOptions {
  readonly store: Pick<Store, 'entries'>
  readonly clock: Clock
  /** Whether the store is away: then it is not tried before it is back. */
  readonly away: () => boolean
}

/** Bans kept at most: of the oldest only the announcement is lost, here they hold. */
const MOST = 10_000
/** Entries written in one call. */
export const CHUNK = 500
/** How long a write may hang before another one is tried, in ms. */
const PATIENCE = 1000

export function createUnwritten({ store, clock, away }: UnwrittenOptions): Unwritten {
  const bans = new Map<string, Entry>()
  let begun = Number.NEGATIVE_INFINITY
  let cancel: (() => void) | undefined
  let closed = false

  function arm(): void {
    if (closed) return
    cancel ??= schedule(clock, PAUSE, () => {
      cancel = undefined
      if (!away()) void unwritten.write()
    })
  }

  const unwritten: Unwritten = {
    has: (id) => bans.has(id),
    add(ban) {
      bans.delete(ban.id)
      bans.set(ban.id, ban)
      const [oldest] = bans.size > MOST ? bans.keys() : []
      if (oldest !== undefined) bans.delete(oldest)
      arm()
    },
    delete: (id) => void bans.delete(id),
    async write() {
      const now = clock.now()
      if (now - begun < PATIENCE) return
      begun = now
      try {
        while (bans.size > 0) {
          const chunk = [...bans.values()].slice(0, CHUNK)
          await store.entries.put(chunk.filter((ban) => isLive(ban, now)))
          for (const ban of chunk) if (bans.get(ban.id) === ban) bans.delete(ban.id)
        }
      } catch {
        arm()
      }
      begun = Number.NEGATIVE_INFINITY
    },
    close() {
      closed = true
      cancel?.()
    },
  }
  return unwritten
}
