import type { Awaitable, Counter, Hit, HitCommit } from '@ipguard/core'
import type { HitBatcher } from './hit-batcher.ts'
import type { StoredReply } from './hit-reply.ts'

/** What this instance has taken of one client's budget and not used yet. */
interface Lease {
  readonly hit: Hit
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

/** Leases of one limit, at most: the one that was taken first makes room. */
const MOST = 50_000

/**
 * Answers from what was taken in advance, where a limit says `lease`.
 *
 * What is taken is counted at once, in the part of the window in which it is taken, and it can be used only while that part lasts: so a
 * request is counted when it comes, as if it had been counted by itself, and the limit holds. What was not used is given back when the
 * instance takes the next one, so each holds at most one lease of a client: so much may be refused early.
 */
export function createLeasingCounter(batcher: HitBatcher, time: () => number): LeasingCounter {
  const byCounter = new WeakMap<Counter, Map<string, Lease>>()
  /** Of those that are being asked for: one request asks, others only count. */
  const asking = new Set<string>()

  function leasesOf(counter: Counter): Map<string, Lease> {
    const known = byCounter.get(counter) ?? new Map<string, Lease>()
    byCounter.set(counter, known)
    return known
  }

  /** One that has ended stays until it is given back. */
  function held({ counter, key }: Hit): Lease | undefined {
    return byCounter.get(counter)?.get(key.text)
  }

  /** It is not used any more from here on. */
  function drop({ counter, key }: Hit): void {
    byCounter.get(counter)?.delete(key.text)
  }

  /** What cannot be given back leaves the count by itself. Sent before what follows in this turn, and in the same call. */
  function giveBack({ hit, slot, resetAt }: Lease, amount: number): void {
    if (amount > 0 && time() < resetAt) batcher.send([{ ...hit, cost: -amount, slot }], 'all').catch(() => {})
  }

  function release(lease: Lease): void {
    drop(lease.hit)
    giveBack(lease, lease.left)
  }

  function keep(hit: Hit, { leased, remaining, resetIn, slot }: StoredReply, sentAt: number): void {
    if (!leased) return
    const leases = leasesOf(hit.counter)
    const [oldest] = leases.size >= MOST ? leases.values() : []
    if (oldest) release(oldest)
    leases.set(hit.key.text, {
      hit,
      left: leased.amount,
      // From before it was sent: the answer was older than this when it was made.
      until: sentAt + leased.usableFor,
      resetAt: sentAt + resetIn,
      remaining: remaining - leased.amount,
      slot,
    })
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
      const before = held(hit)
      if (before) release(before)
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
        if (refused && held(hit) === lease) lease.left += hit.cost
        else if (refused) giveBack(lease, hit.cost)
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
        const lease = hit.counter.lease && isSimple(hit) ? held(hit) : undefined
        if (!lease || now >= lease.until || lease.left < hit.cost || used.has(lease)) return undefined
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
