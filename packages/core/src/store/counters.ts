import { type Prefix, parsePrefix } from '../ip/prefix.ts'
import type { BanBook } from './ban-book.ts'
import { createEntry, type Entry } from './entry.ts'
import { halfSipHash } from './hash-text.ts'
import type { CounterKey, Hit, HitCommit, HitReply } from './hit.ts'
import { addRow, findRow, hash, removeRow } from './key-table.ts'
import { reachedTier } from './ladder.ts'
import { createLanes, type Lane } from './lanes.ts'
import { refusedFor } from './refused-for.ts'
import { type Shelf, shelfBytes, turnBroom, turnHand } from './shelf.ts'
import { part, turnTo } from './sliding-window.ts'
import type { StoreStats } from './store.ts'
import { createStrikes } from './strikes.ts'

/** How many counters are held, and where the bans of ladders go. */
export interface CountersOptions {
  /** Counters held at most; limits above 65,535 have a second table of the same size, made when first used. */
  readonly maxKeys: number
  readonly bans: BanBook
  /** Called when a counter that still counts had to make room. */
  readonly onEvict?: () => void
}

export type { BanBook }

/** Counters of fixed size in memory, with strikes and ladders; synchronous. */
export interface Counters {
  hit(hits: readonly Hit[], now: number, commit: HitCommit): HitReply[]
  /** Clears the strikes of every client inside the prefix. */
  forgive(prefix: Prefix): void
  stats(): StoreStats
}

const LOOK = 64
/** How long nothing is looked for after a whole round in vain, in ms: of a flood each new key would pay for 64 looks. */
const REST = 100
const MET = 1 << 30

/**
 * The bounded counter table: the memory store's, and the guard's own when a shared store fails.
 *
 * A row is 48 bytes (72 for limits above 65,535), its share of the index 8-17. Expired rows are reclaimed as new ones come; when all are
 * live the one met least goes. There is no timer.
 */
export function createCounters(options: CountersOptions): Counters {
  const { maxKeys, bans } = options
  const { laneOf, laneAt, shelves } = createLanes(maxKeys)
  const strikes = createStrikes(maxKeys)
  let evictions = 0
  // Scratch of one call: what the first pass found out, hit by hit.
  const offsets: number[] = []
  const used: number[] = []
  const asked: number[] = []
  const admitted: boolean[] = []
  const standing: (Entry | undefined)[] = []
  const keys: CounterKey[] = []
  const held: Lane[] = []
  let secret: Int32Array | undefined

  /** A custom key is of any length and a caller's choice: 128 bits under a secret stand for it. */
  function keyOf({ key }: Hit): CounterKey {
    if (key.kind !== 0) return key
    secret ??= globalThis.crypto.getRandomValues(new Int32Array(4))
    const [k0, k1, k2, k3] = secret as unknown as [number, number, number, number] // four words
    const [a, b] = halfSipHash(k0, k1, key.text)
    const [c, d] = halfSipHash(k2, k3, key.text)
    return { ...key, a, b, c, d }
  }

  function evict(shelf: Shelf, now: number): void {
    const { table, words } = shelf
    let least = -1
    let fewest = 4
    let left = LOOK
    for (; left > 0 && fewest > 0; left--) {
      const row = turnHand(shelf)
      const at = row * table.stride
      const tag = words[at + 4] as number // the hand stays inside
      if (tag === 0) continue
      if (isExpired(shelf, at, tag, now)) {
        removeRow(table, at)
        return
      }
      const met = tag >>> 30
      if (met < fewest) {
        least = at
        fewest = met
      }
      if (met > 0) words[at + 4] = (tag - MET) | 0
    }
    // Which one it would be is known. An expired one goes instead; the hand stays, or rows would be passed over and others come up too often.
    for (; left > 0 && now >= shelf.restUntil; left--) if (sweepRow(shelf, now)) return
    evictions++
    removeRow(table, least)
    options.onEvict?.()
  }

  function isExpired(shelf: Shelf, at: number, tag: number, now: number): boolean {
    const lane = laneAt(tag)
    return lane === undefined || lane.meter.expired(shelf, at, lane.counter, now)
  }

  function sweep(shelf: Shelf, now: number): void {
    sweepRow(shelf, now)
    sweepRow(shelf, now)
  }

  /** Reclaims the row under the broom, if it has expired. */
  function sweepRow(shelf: Shelf, now: number): boolean {
    const at = turnBroom(shelf) * shelf.table.stride
    const tag = shelf.words[at + 4] as number // the broom stays inside
    const gone = tag !== 0 && isExpired(shelf, at, tag, now)
    if (gone) removeRow(shelf.table, at)
    shelf.barren = gone ? 0 : shelf.barren + 1
    if (shelf.barren > shelf.table.top) {
      shelf.barren = 0
      shelf.restUntil = now + REST
    }
    return gone
  }

  function insert(lane: Lane, key: CounterKey, now: number): number {
    const { shelf } = lane
    if (shelf.table.size === shelf.table.capacity) evict(shelf, now)
    else sweep(shelf, now)
    const at = addRow(shelf.table, key.a, key.b, key.c, key.d, lane.tag | key.kind)
    lane.meter.start(shelf, at, lane.counter, now)
    return at
  }

  function find(lane: Lane, key: CounterKey): number {
    const { shelf } = lane
    const at = findRow(shelf.table, key.a, key.b, key.c, key.d, lane.tag | key.kind)
    if (at >= 0) {
      const tag = shelf.words[at + 4] as number // rows are inside
      if (tag >>> 30 < 3) shelf.words[at + 4] = (tag + MET) | 0
    }
    return at
  }

  /** What earlier hits of this call ask of the same counter: together they stay within the limit. */
  function askedBefore(hits: readonly Hit[], i: number, lane: Lane, { a, b, c, d, kind }: CounterKey): number {
    let sum = 0
    for (let j = 0; j < i; j++) {
      const { counter, cost } = hits[j] as Hit // inside
      const key = keys[j] as CounterKey
      const same = key.a === a && key.b === b && key.c === c && key.d === d && key.kind === kind
      if (same && cost > 0 && laneOf(counter) === lane) sum += cost
    }
    return sum
  }

  /** The second pass for one hit: changes what may change, and says how it stands now. */
  function settle(hit: Hit, i: number, now: number, consume: boolean, commit: HitCommit): HitReply {
    const { counter, cost } = hit
    const key = keys[i] as CounterKey // the first pass filled the scratch, here and below
    const lane = held[i] as Lane
    const { shelf, meter } = lane
    const limit = Math.min(hit.burst ?? hit.limit, lane.most)
    // An insertion for an earlier hit may have taken this one's row.
    let at = i === 0 ? (offsets[i] as number) : find(lane, key)
    let count = used[i] as number
    const slot = counter.window > 0 ? meter.slot(counter, now) : 0
    if (consume && cost !== 0 && counter.window > 0) {
      if (at < 0 && cost > 0) at = insert(lane, key, now)
      if (at >= 0) {
        meter.add(shelf, at, counter, hit.limit, cost, now, hit.slot ?? slot)
        count = i === 0 && cost > 0 ? count + cost : meter.used(shelf, at, counter, hit.limit, now)
      }
    }
    const ok = admitted[i] as boolean
    const ban = standing[i]
    const reply: { -readonly [K in keyof HitReply]: HitReply[K] } = {
      admitted: ok,
      remaining: Math.max(0, Math.floor(limit - count)),
      resetIn: at >= 0 ? Math.ceil(meter.resetAt(shelf, at, counter, hit.limit, now) - now) : 0,
      retryIn: ok ? 0 : refusedFor(hit, lane, at, count, asked[i] as number, now, ban),
      slot,
    }
    if (ban) reply.ban = ban
    if (counter.ladder && (!ok || commit === 'none' || hit.strike)) climb(hit, i, at, now, commit, reply)
    return reply
  }

  function climb(
    hit: Hit,
    i: number,
    at: number,
    now: number,
    commit: HitCommit,
    reply: { -readonly [K in keyof HitReply]: HitReply[K] },
  ): void {
    const { counter, key } = hit
    const { ladder } = counter
    if (!ladder) return
    const struck =
      commit !== 'none' &&
      !hit.exempt &&
      standing[i] === undefined &&
      strikes.add(counter, key, ladder, now, hit.strike === true)
    if (struck) {
      const tier = reachedTier(ladder, strikes.times(counter, key, ladder, now), now)
      if (tier) {
        const banned = createEntry(parsePrefix(key.text), {
          kind: 'ban',
          createdAt: now,
          expiresAt: now + Math.ceil(tier.ban * (1 + ladder.jitter * (hit.jitter ?? 0))),
          by: counter.policy,
          tier: tier.name,
          ...(ladder.scope === 'policy' || counter.shadow ? { policy: counter.policy } : {}),
          ...(counter.shadow ? { shadow: true } : {}),
        })
        reply.banned = banned
        const lane = laneOf(counter)
        const row = counter.window > 0 && at >= 0 ? find(lane, key) : -1
        if (row >= 0) removeRow(lane.shelf.table, row)
      }
    }
    if (struck || commit === 'none') reply.strikes = strikes.times(counter, key, ladder, now).length
  }

  function every(hits: readonly Hit[], now: number, commit: HitCommit): HitReply[] {
    let live = commit === 'all'
    let shadow = live
    // All of them first: one that is new may move the rows of another.
    for (let i = 0; i < hits.length; i++) held[i] = laneOf((hits[i] as Hit).counter) // inside, here and below
    for (let i = 0; i < hits.length; i++) {
      const hit = hits[i] as Hit
      const { counter, cost } = hit
      const lane = held[i] as Lane
      const key = keyOf(hit)
      keys[i] = key
      const at = counter.window > 0 ? find(lane, key) : -1
      const count = at < 0 ? 0 : lane.meter.used(lane.shelf, at, counter, hit.limit, now)
      const ban = bans.table.bans > 0 && key.kind !== 0 ? bans.find(counter, key, now) : undefined
      const before = i === 0 ? 0 : askedBefore(hits, i, lane, key)
      const most = Math.min(hit.burst ?? hit.limit, lane.most)
      const ok = cost < 0 || (ban === undefined && !hit.strike && (cost === 0 || count + before + cost <= most))
      offsets[i] = at
      used[i] = count
      asked[i] = before
      admitted[i] = ok
      standing[i] = ban
      if (!ok) {
        if (!counter.shadow) live = false
        shadow = false
      }
    }
    const replies: HitReply[] = []
    for (let i = 0; i < hits.length; i++) {
      const hit = hits[i] as Hit // inside
      replies.push(settle(hit, i, now, hit.counter.shadow ? shadow && live : live, commit))
    }
    // Last: who hears of a ban may call again, and the scratch is this call's.
    for (const { banned } of replies) if (banned) bans.add(banned)
    return replies
  }

  /** The reply to a single hit on a known row that is simply admitted, as nearly all are, without the scratch; else nothing has changed. */
  function admit(hit: Hit, now: number): HitReply | undefined {
    const { counter, cost, key } = hit
    const lane = laneOf(counter)
    if (!(lane.plain && cost > 0 && key.kind !== 0) || hit.strike) return undefined
    if (bans.table.bans > 0 && bans.find(counter, key, now)) return undefined
    turnTo(counter.window, now)
    const { shelf, most } = lane
    const tag = lane.tag | key.kind
    const limit = hit.burst ?? hit.limit
    return shelf.plainHit(
      hash(shelf.table.seed, key.a, key.b, key.c, key.d, tag),
      tag,
      key,
      Math.min(limit, most),
      cost,
      ((part[3] as number) - Math.floor(now)) | 0, // a small integer, not an object
    )
  }

  return {
    hit(hits, now, commit) {
      const reply = hits.length === 1 && commit === 'all' ? admit(hits[0] as Hit, now) : undefined // inside
      return reply === undefined ? every(hits, now, commit) : [reply]
    },
    forgive: (prefix) => strikes.forgive(prefix),
    stats() {
      return {
        counters: shelves.reduce((sum, { table }) => sum + table.size, 0),
        counterBytes: shelves.reduce((sum, shelf) => sum + shelfBytes(shelf), 0),
        strikes: strikes.size(),
        evictions,
      }
    },
  }
}
