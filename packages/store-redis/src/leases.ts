import type { Awaitable, Counter, Hit, HitCommit } from '@ipguard/core'
import type { HitBatcher } from './hit-batcher.ts'
import type { StoredReply } from './hit-reply.ts'

/** What this instance has taken of one client's budget and not used yet. */
interface Lease {
  left: number
  /** Until when it can be used, by `time`. */
  readonly until: number
  /** When what was taken leaves the count, by `time`. */
  readonly resetAt: number
  /** What was left in Redis after it was taken. */
  readonly remaining: number
  readonly slot: number
}

export interface LeasingCounter {
  send(hits: readonly Hit[], commit: HitCommit): Awaitable<readonly StoredReply[]>
}

/** Clients with a lease, at most; who has none asks Redis. */
const MOST = 50_000

/**
 * Answers from what was taken in advance, where a limit says `lease`.
 *
 * What is taken is counted at once, in the part of the window in which it is taken, and it can be used only while that part lasts: so a
 * request is counted when it comes, as if it had been counted by itself, and the limit holds. What is not used is lost to everybody until
 * it leaves the count: up to the lease of each instance may be refused early.
 */
export function createLeasingCounter(batcher: HitBatcher, time: () => number): LeasingCounter {
  const byCounter = new WeakMap<Counter, Map<string, Lease>>()
  /** Of those that are being asked for: one request asks, others only count. */
  const asking = new Set<string>()
  let held = 0

  function leasesOf(counter: Counter): Map<string, Lease> {
    const known = byCounter.get(counter) ?? new Map<string, Lease>()
    byCounter.set(counter, known)
    return known
  }

  function leaseFor({ counter, key }: Hit, now: number): Lease | undefined {
    const leases = byCounter.get(counter)
    const lease = leases?.get(key.text)
    if (!leases || !lease) return undefined
    if (now < lease.until) return lease
    leases.delete(key.text)
    held--
    return undefined
  }

  function keep({ counter, key }: Hit, { leased, remaining, resetIn, slot }: StoredReply, sentAt: number): void {
    if (!leased || held >= MOST) return
    const leases = leasesOf(counter)
    if (!leases.has(key.text)) held++
    leases.set(key.text, {
      left: leased.amount,
      // From before it was sent: the answer was older than this when it was made.
      until: sentAt + leased.usableFor,
      resetAt: sentAt + resetIn,
      remaining: remaining - leased.amount,
      slot,
    })
  }

  function drop({ counter, key }: Hit): void {
    if (byCounter.get(counter)?.delete(key.text)) held--
  }

  /** The answer to a hit that a lease pays for. */
  function answer(lease: Lease, now: number): StoredReply {
    return {
      admitted: true,
      remaining: lease.remaining + lease.left,
      resetIn: Math.max(0, Math.ceil(lease.resetAt - now)),
      retryIn: 0,
      slot: lease.slot,
    }
  }

  async function ask(
    hits: readonly Hit[],
    commit: HitCommit,
    paid: readonly (Lease | undefined)[],
  ): Promise<readonly StoredReply[]> {
    const sentAt = time()
    const asked: string[] = []
    const sent = hits.map((hit, i) => {
      // It is only read: what it costs was counted with the lease.
      if (paid[i]) return { ...hit, cost: 0 }
      const name = `${hit.counter.id} ${hit.key.text}`
      if (commit !== 'all' || !hit.counter.lease || !isSimple(hit) || asking.has(name)) return hit
      asking.add(name)
      asked.push(name)
      return { ...hit, lease: hit.counter.lease }
    })
    try {
      const replies = await batcher.send(sent, commit)
      const refused = replies.some(({ admitted }, i) => !admitted && !hits[i]?.counter.shadow)
      return replies.map((reply, i) => {
        const hit = hits[i] as Hit // one reply to each
        const lease = paid[i]
        if (reply.ban ?? reply.banned) drop(hit)
        else if (reply.leased) keep(hit, reply, sentAt)
        if (!lease) return reply
        // Refused by another limit: nothing was consumed of this one either.
        if (refused) lease.left += hit.cost
        return { ...reply, remaining: lease.remaining + lease.left }
      })
    } finally {
      for (const name of asked) asking.delete(name)
    }
  }

  return {
    send(hits, commit) {
      if (commit !== 'all' || !hits.some(({ counter }) => counter.lease)) return batcher.send(hits, commit)
      const now = time()
      const used = new Set<Lease>()
      const paid = hits.map((hit) => {
        const lease = hit.counter.lease && isSimple(hit) ? leaseFor(hit, now) : undefined
        if (!lease || lease.left < hit.cost || used.has(lease)) return undefined
        used.add(lease)
        return lease
      })
      for (const [i, lease] of paid.entries()) if (lease) lease.left -= (hits[i] as Hit).cost // one for each
      if (paid.every((lease) => lease !== undefined)) return paid.map((lease) => answer(lease, now))
      return ask(hits, commit, paid)
    },
  }
}

function isSimple({ cost, strike }: Hit): boolean {
  return cost > 0 && !strike
}
