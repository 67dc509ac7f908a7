import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { createBanBook } from '../store/ban-book.ts'
import { type Counters, createCounters } from '../store/counters.ts'
import type { Hit, HitCommit, HitReply } from '../store/hit.ts'
import type { Store } from '../store/store.ts'
import type { Deadline } from './deadline.ts'
import type { EventHub } from './events.ts'
import type { Replica } from './replica.ts'

/** What a policy wants when its count cannot be had. */
export type CountFailure = 'local' | 'allow' | 'deny'

/** How those who send hits deal with waiting and failing. */
export interface Fallback {
  /** The decision's deadline; made at the first wait. */
  deadline(): Deadline
  onErrorOf(hit: Hit): CountFailure
  failed(hit: Hit): void
}

export interface HitSender {
  /** The store's replies, in the order of the hits. Throws or rejects as the store does, without a deadline. */
  readonly store: Store
  /** Waits for the store's replies up to the deadline; then, and when they fail, each hit takes its policy's own way. */
  wait(
    replies: Promise<readonly HitReply[]>,
    hits: readonly Hit[],
    now: number,
    commit: HitCommit,
    fallback: Fallback,
  ): Promise<readonly HitReply[]>
  /** The replies in place of a store that has failed. */
  fall(hits: readonly Hit[], now: number, commit: HitCommit, fallback: Fallback, error: unknown): readonly HitReply[]
  /** Both of them, for where a call more does not matter. */
  send(hits: readonly Hit[], now: number, commit: HitCommit, fallback: Fallback): Awaitable<readonly HitReply[]>
}

export interface HitSenderOptions {
  readonly store: Store
  readonly replica: Replica
  readonly hub: EventHub
  /** Instances that share the store: each counts its share of the limit while it is away. */
  readonly instances: number
  readonly maxLocalKeys: number
}

export function createHitSender({ store, replica, hub, instances, maxLocalKeys }: HitSenderOptions): HitSender {
  let local: Counters | undefined

  const sender: HitSender = {
    store,
    async wait(replies, hits, now, commit, fallback) {
      const settled = await fallback.deadline().wait(replies)
      if ('value' in settled) return settled.value
      return sender.fall(hits, now, commit, fallback, 'error' in settled ? settled.error : undefined)
    },
    fall(hits, now, commit, fallback, error) {
      const code = error === undefined ? 'IPGUARD_DEADLINE_EXCEEDED' : 'IPGUARD_STORE_FAILED'
      hub.fail(code, `The store "${store.name}" did not count${error === undefined ? ' by the deadline' : ''}.`, error)
      local ??= createCounters({
        maxKeys: maxLocalKeys,
        bans: createBanBook(replica.table, (ban) => replica.apply({ put: [ban] }, now)),
      })
      const counted = hits.filter((hit) => fallback.onErrorOf(hit) === 'local')
      // This instance's share of each limit; at least one, unless nobody is let in at all.
      const shares = counted.map((hit) => ({
        ...hit,
        limit: Math.max(Math.min(1, hit.limit), Math.floor(hit.limit / instances)),
      }))
      const own = local.hit(shares, now, commit)
      return hits.map((hit) => {
        fallback.failed(hit)
        const admitted = fallback.onErrorOf(hit) === 'allow'
        return (
          own[counted.indexOf(hit)] ?? {
            admitted,
            remaining: admitted ? hit.limit : 0,
            resetIn: 0,
            retryIn: 1000,
            slot: 0,
          }
        )
      })
    },
    send(hits, now, commit, fallback) {
      try {
        const replies = store.hit(hits, { now, commit })
        return isPromise(replies) ? sender.wait(replies, hits, now, commit, fallback) : replies
      } catch (error) {
        return sender.fall(hits, now, commit, fallback, error)
      }
    },
  }
  return sender
}
