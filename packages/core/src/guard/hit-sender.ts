import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { createBanBook } from '../store/ban-book.ts'
import { type Counters, createCounters } from '../store/counters.ts'
import type { Entry } from '../store/entry.ts'
import type { Hit, HitCommit, HitReply } from '../store/hit.ts'
import type { Store } from '../store/store.ts'
import type { Breaker } from './breaker.ts'
import type { Deadline } from './deadline.ts'
import type { Replica } from './replica.ts'
import type { Striker } from './reports.ts'

/** What a policy wants when its count cannot be had. */
export type CountFailure = 'local' | 'allow' | 'deny'

/** How those who send hits deal with waiting and failing. */
export interface Fallback {
  /** The decision's deadline; made at the first wait. */
  deadline(): Deadline
  onErrorOf(hit: Hit): CountFailure
  failed(hit: Hit): void
  /** Whose hits they are, for a reply that comes too late to be of use to the decision. */
  striker?(): Striker | undefined
}

export interface HitSender {
  /** Waits for the store's replies up to the deadline; then, and when they fail, each hit takes its policy's own way. */
  wait(
    replies: Promise<readonly HitReply[]>,
    hits: readonly Hit[],
    now: number,
    commit: HitCommit,
    fallback: Fallback,
  ): Promise<readonly HitReply[]>
  /** The replies in place of a store that has thrown. */
  fall(hits: readonly Hit[], now: number, commit: HitCommit, fallback: Fallback, error: unknown): readonly HitReply[]
  /** All of it, for where a call more does not matter: asks the store unless it is away. */
  send(hits: readonly Hit[], now: number, commit: HitCommit, fallback: Fallback): Awaitable<readonly HitReply[]>
  /** The same beside a decision, with a deadline of its own. */
  sendAside(hits: readonly Hit[], now: number, commit: HitCommit, onError: CountFailure): Awaitable<readonly HitReply[]>
  /** The live entries of these ids, by the deadline; undefined when the store could not tell. */
  find(ids: readonly string[], deadline: () => Deadline): Awaitable<readonly Entry[] | undefined>
}

export interface HitSenderOptions {
  readonly store: Store
  readonly breaker: Breaker
  readonly replica: Replica
  /** Instances that share the store: each counts its share of the limit while it is away. */
  readonly instances: number
  readonly maxLocalKeys: number
  readonly startDeadline: () => Deadline
  /** The store has answered with a promise for the first time. */
  readonly onMet: () => void
  /** A reply that came after its decision was made. */
  readonly onLate: (hit: Hit, reply: HitReply, striker: Striker | undefined) => void
}

export function createHitSender(options: HitSenderOptions): HitSender {
  const { store, breaker, replica, instances, maxLocalKeys, startDeadline, onMet, onLate } = options
  let local: Counters | undefined
  let met = false

  /** This instance's share; at least one, unless nobody is let in at all. */
  const share = (limit: number): number => Math.max(Math.min(1, limit), Math.floor(limit / instances))

  function count(hits: readonly Hit[], now: number, commit: HitCommit): readonly HitReply[] {
    local ??= createCounters({
      maxKeys: maxLocalKeys,
      bans: createBanBook(replica.table, (ban) => replica.keep(ban)),
    })
    const shares = hits.map((hit) => ({
      ...hit,
      limit: share(hit.limit),
      ...(hit.burst !== undefined && { burst: share(hit.burst) }),
    }))
    return local.hit(shares, now, commit)
  }

  /** The replies without the store. */
  function alone(hits: readonly Hit[], now: number, commit: HitCommit, fallback: Fallback): readonly HitReply[] {
    const counted = hits.filter((hit) => fallback.onErrorOf(hit) === 'local')
    const own = count(counted, now, commit)
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
  }

  const sender: HitSender = {
    async wait(replies, hits, now, commit, fallback) {
      const deadline = fallback.deadline()
      const answer = breaker.ask(replies, deadline, (late) => {
        for (const [i, reply] of late.entries()) onLate(hits[i] as Hit, reply, fallback.striker?.()) // one reply to each hit
      })
      // Made while the store is waited for: past the deadline it would come on top, and the first use costs about a millisecond.
      if (!local) count(hits, now, 'none')
      const settled = await answer
      if (!('value' in settled)) return alone(hits, now, commit, fallback)
      if (!met) onMet()
      met = true
      return settled.value
    },
    fall(hits, now, commit, fallback, error) {
      breaker.failed(error ?? null)
      return alone(hits, now, commit, fallback)
    },
    send(hits, now, commit, fallback) {
      if (!breaker.admits()) return alone(hits, now, commit, fallback)
      try {
        const replies = store.hit(hits, { now, commit })
        if (isPromise(replies)) return sender.wait(replies, hits, now, commit, fallback)
        breaker.succeeded()
        return replies
      } catch (error) {
        return sender.fall(hits, now, commit, fallback, error)
      }
    },
    sendAside(hits, now, commit, onError) {
      let deadline: Deadline | undefined
      const sent = sender.send(hits, now, commit, {
        deadline() {
          deadline = startDeadline()
          return deadline
        },
        onErrorOf: () => onError,
        failed: () => {},
      })
      return isPromise(sent) ? sent.finally(() => deadline?.end()) : sent
    },
    find(ids, deadline) {
      if (!breaker.admits()) return undefined
      try {
        const found = store.entries.find?.(ids)
        if (!isPromise(found)) return found
        return breaker.ask(found, deadline()).then((settled) => ('value' in settled ? settled.value : undefined))
      } catch (error) {
        breaker.failed(error ?? null)
        return undefined
      }
    },
  }
  return sender
}
