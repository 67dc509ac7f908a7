import { entryOf, hitOf, SUITE_START } from '@ipguard/conformance'
import type { Entry, Hit, HitReply, Store } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { expect } from 'vitest'
import { BUCKET_LIMITS, COUNTERS, HISTORY_START, KEYS, type PlannedHit, type Step } from './histories.ts'

export interface SideBySideOptions {
  /** The store under test, which goes by this clock. */
  readonly createStore: (clock: { now(): number }) => Store
  /** One client on one counter: see `soloHistories`. */
  readonly solo?: boolean
  /** Checks sent in one turn, at most. @default 1 */
  readonly together?: number
  /** Buckets are asked with one limit only: giving back tells anew, by the limit of now, when one will be empty. */
  readonly oneRate?: boolean
}

type Check = Step & { readonly do: 'check' }

/** Of a strict window; every edge of a fixed one is an edge of a part too. */
const PART = 6_000

/** Carries out a history on a memory store and on another one; throws at the first answer that is not the same. */
export async function runSideBySide(history: readonly Step[], options: SideBySideOptions): Promise<void> {
  const time = createTime(options)
  const memory = memoryStore({ clock: time, maxKeys: 1_000 })
  const store = options.createStore(time)
  const consumed: Hit[] = []
  let turn: Check[] = []

  async function send(): Promise<void> {
    const checks = turn.map(({ hits, commit }) => ({ hits: hitsOf(hits, consumed, time), commit }))
    turn = []
    const now = time.now()
    const replies = await Promise.all(checks.map(async ({ hits, commit }) => store.hit(hits, { now, commit })))
    for (const [i, { hits, commit }] of checks.entries()) {
      const expected = await memory.hit(hits, { now, commit })
      const defined = (reply: HitReply, place: number): object => comparable(hits[place] as Hit, reply)
      expect(replies[i]?.map(defined)).toEqual(expected.map(defined))
      const all = commit === 'all' && expected.every(({ admitted }) => admitted)
      for (const [place, hit] of hits.entries()) {
        const reply = expected[place] as HitReply
        time.note(hit, reply, all)
        if (all && hit.cost > 0) consumed.push({ ...hit, cost: -hit.cost, slot: reply.slot })
      }
    }
  }

  async function take(step: Step): Promise<void> {
    switch (step.do) {
      case 'check':
        turn.push(step)
        if (turn.length >= (options.together ?? 1)) await send()
        return
      case 'wait':
        await send()
        time.wait(step.ms)
        return
      case 'go back':
        await send()
        time.goBack(step.ms)
        return
      case 'ban': {
        await send()
        await tellTime(memory, time.now())
        const at = time.now() - SUITE_START
        const ban = entryOf(step.cidr, { at, ...(step.length !== undefined && { until: at + step.length }) })
        for (const each of [memory, store]) await each.entries.put([ban])
        time.ends(ban)
        return
      }
      case 'unban': {
        await send()
        const { ids, forgive } = step
        for (const each of [memory, store]) await each.entries.remove(ids, forgive === undefined ? {} : { forgive })
      }
    }
  }

  try {
    for (const step of history) await take(step)
    await send()
    expect(await entriesOf(store, time.now())).toEqual(await entriesOf(memory, time.now()))
  } finally {
    await store.close?.()
  }
}

interface Time {
  now(): number
  wait(ms: number): void
  /** Goes back that far, or to the last edge: behind it one store may have forgotten what the other one has not. */
  goBack(ms: number): void
  ends(ban: Entry): void
  note(hit: Hit, reply: HitReply, consumed: boolean): void
  /** Whether a bucket must be asked with the largest limit. */
  isFixed(hit: Hit): boolean
}

function createTime({ solo = false, oneRate = false }: SideBySideOptions): Time {
  let now = HISTORY_START
  let latest = now
  /** What was counted last was counted at the latest time, so a clock that goes back finds it there, whoever looked at it since. */
  let settled = false
  /** When bans end, and when buckets are empty. */
  const bans = new Set<number>()
  const buckets = new Map<string, number>()
  const nameOf = ({ counter, key }: Hit): string => `${counter.id} ${key.text}`

  return {
    now: () => now,
    wait(ms) {
      now += ms
      if (now > latest) settled = false
      latest = Math.max(latest, now)
    },
    goBack(ms) {
      const past = (edges: Iterable<number>): number =>
        Math.max(HISTORY_START, ...[...edges].filter((at) => at <= latest))
      // Alone a counter is never swept away, so only what a look at it may have written is an edge.
      const counts = solo
        ? settled
          ? 0
          : Math.floor(latest / PART) * PART
        : Math.max(past(buckets.values()), Math.floor(latest / PART) * PART)
      now = Math.min(now, Math.max(now - ms, past(bans), counts))
    },
    ends({ expiresAt }) {
      if (expiresAt !== undefined) bans.add(expiresAt)
    },
    note(hit, { ban, banned, resetIn }, consumed) {
      for (const each of [ban, banned]) if (each?.expiresAt !== undefined) bans.add(each.expiresAt)
      if (hit.counter.algorithm === 'token-bucket') buckets.set(nameOf(hit), now + resetIn)
      if (consumed && hit.cost > 0 && now === latest) settled = true
    },
    isFixed(hit) {
      if (hit.counter.algorithm !== 'token-bucket') return false
      // Asked with a smaller limit than before, a bucket that is empty would not be, unless it was swept away.
      return oneRate || (!solo && (buckets.get(nameOf(hit)) ?? now + 1) <= now)
    },
  }
}

function hitsOf(planned: readonly PlannedHit[], consumed: readonly Hit[], time: Time): readonly Hit[] {
  return planned.map(({ refunds, counter, key, ...fields }) => {
    const refund = refunds === undefined || planned.length > 1 ? undefined : consumed.at(-1 - refunds)
    const hit = refund ?? hitOf(COUNTERS.get(counter)!, KEYS.get(key)!, fields)
    return time.isFixed(hit) ? { ...hit, limit: BUCKET_LIMITS.at(-1)! } : hit
  })
}

/**
 * What of a reply is defined. A counter of which nothing is used may be there still, or have been swept away: then the fixed window's
 * `resetIn` is its end or 0, and a cost above the limit, which never passes, has the one or the other `retryIn`.
 */
function comparable({ counter, limit, burst }: Hit, reply: HitReply): object {
  const { resetIn, retryIn, ...rest } = reply
  const unused = counter.window > 0 && reply.remaining === (burst ?? limit)
  return {
    ...rest,
    resetIn: unused && counter.algorithm === 'fixed-window' ? 'undefined' : resetIn,
    retryIn,
  }
}

async function entriesOf(store: Store, now: number): Promise<readonly Entry[]> {
  await tellTime(store, now)
  const pages: (readonly Entry[])[] = []
  for await (const page of store.entries.load()) pages.push(page)
  return pages.flat().toSorted((x, y) => (x.id < y.id ? -1 : 1))
}

/** A store without a clock of its own goes by the time of the last hit. */
async function tellTime(store: Store, now: number): Promise<void> {
  const [counter] = COUNTERS.values()
  const [key] = KEYS.values()
  await store.hit([hitOf(counter!, key!, { limit: 1, cost: 0 })], { now, commit: 'none' })
}
