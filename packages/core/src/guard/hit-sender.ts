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

export interface HitSender {
  /** Replies in the order of the hits. `failed` is called, before the answer, when the store could not be asked. */
  send(hits: readonly Hit[], now: number, commit: HitCommit, wait: Wait): Awaitable<readonly HitReply[]>
}

export interface Wait {
  /** The decision's deadline; made at the first wait. */
  deadline(): Deadline
  onErrorOf(hit: Hit): CountFailure
  failed(hit: Hit): void
}

export interface HitSenderOptions {
  readonly store: Store
  readonly replica: Replica
  readonly hub: EventHub
  /** Instances that share the store: each counts its share of the limit while it is away. */
  readonly instances: number
  readonly maxLocalKeys: number
}

/** Asks the store; when it throws, rejects or is late, each hit takes its policy's own way. */
export function createHitSender({ store, replica, hub, instances, maxLocalKeys }: HitSenderOptions): HitSender {
  let local: Counters | undefined

  function fall(hits: readonly Hit[], now: number, commit: HitCommit, wait: Wait, error: unknown): HitReply[] {
    hub.fail('IPGUARD_STORE_FAILED', `The store "${store.name}" did not count.`, error)
    local ??= createCounters({
      maxKeys: maxLocalKeys,
      bans: createBanBook(replica.table, (ban) => replica.apply({ put: [ban] }, now)),
    })
    const counted = hits.filter((hit) => wait.onErrorOf(hit) === 'local')
    const replies = new Map<Hit, HitReply>()
    const shares = counted.map((hit) => ({
      ...hit,
      limit: Math.max(Math.min(1, hit.limit), Math.floor(hit.limit / instances)),
    }))
    for (const [i, reply] of local.hit(shares, now, commit).entries()) replies.set(counted[i] as Hit, reply) // one reply to each hit
    return hits.map((hit) => {
      wait.failed(hit)
      const admitted = wait.onErrorOf(hit) === 'allow'
      return (
        replies.get(hit) ?? {
          admitted,
          remaining: admitted ? hit.limit : 0,
          resetAt: now,
          retryAt: now + 1000,
          slot: 0,
        }
      )
    })
  }

  return {
    send(hits, now, commit, wait) {
      try {
        const replies = store.hit(hits, { now, commit })
        if (!isPromise(replies)) return replies
        return wait
          .deadline()
          .wait(replies)
          .then((settled) => {
            if ('value' in settled) return settled.value
            return fall(hits, now, commit, wait, 'error' in settled ? settled.error : undefined)
          })
      } catch (error) {
        return fall(hits, now, commit, wait, error)
      }
    },
  }
}
