import { type Prefix, parsePrefix } from '../ip/prefix.ts'
import { createEntry, type Entry } from './entry.ts'
import { fixedWindow } from './fixed-window.ts'
import type { Counter, CounterKey, Hit, HitCommit, HitReply } from './hit.ts'
import { halfSipHash } from './hash-text.ts'
import { addRow, createKeyTable, findRow, type KeyTable, removeRow } from './key-table.ts'
import { reachedTier } from './ladder.ts'
import type { Cells, Meter } from './meter.ts'
import { slidingWindow } from './sliding-window.ts'
import type { StoreStats } from './store.ts'
import { createStrikes } from './strikes.ts'
import { tokenBucket } from './token-bucket.ts'

/** Where counters look for bans and put the ones that they bring about. */
export interface BanBook {
  /** Bans held; 0 spares the look-up. */
  readonly size: number
  /** The ban on exactly this key that stops this counter. */
  find(counter: Counter, key: CounterKey, now: number): Entry | undefined
  add(entry: Entry): void
}

export interface CountersOptions {
  /** Counters held at most; limits above 65,535 have a second table of the same size, made when first used. */
  readonly maxKeys: number
  readonly bans: BanBook
  /** Called when a counter that still counts had to make room. */
  readonly onEvict?: () => void
}

/** Counters of fixed size in memory, with strikes and ladders; synchronous. */
export interface Counters {
  hit(hits: readonly Hit[], now: number, commit: HitCommit): HitReply[]
  /** Clears the strikes of every client inside the prefix. */
  forgive(prefix: Prefix): void
  stats(): StoreStats
}

/** A counter's place in the tables. */
interface Lane {
  readonly counter: Counter
  readonly tag: number
  readonly meter: Meter
  readonly shelf: Shelf
  /** What the row can hold. */
  readonly most: number
}

/** A table, its views, and the state of its clock hand. */
interface Shelf extends Cells {
  readonly table: KeyTable
  /** How often a row was met lately, 0-3: what is met again outlives a flood of keys that come once. */
  readonly met: Uint8Array
  hand: number
}

const NARROW = 12
const WIDE = 18
const LOOK = 64
const narrowWindow = slidingWindow(2)
const wideWindow = slidingWindow(1)

/**
 * The bounded counter table: the memory store's, and the guard's own when a shared store fails.
 *
 * A row is 48 bytes (72 for limits above 65,535), its share of the index 8-17. Expired rows are reclaimed as new ones come; when all are
 * live the one met least goes. There is no timer.
 */
export function createCounters(options: CountersOptions): Counters {
  const { maxKeys, bans } = options
  const lanes: Lane[] = []
  // Guards come and go (`guard.with`), so the objects are held weakly; what is kept is bounded by the number of names.
  const byCounter = new WeakMap<Counter, Lane>()
  const byId = new Map<string, Lane>()
  const strikes = createStrikes(maxKeys)
  let narrow: Shelf | undefined
  let wide: Shelf | undefined
  let evictions = 0
  // Scratch of one call: what the first pass found out, hit by hit.
  const offsets: number[] = []
  const used: number[] = []
  const admitted: boolean[] = []
  const standing: (Entry | undefined)[] = []
  const keys: CounterKey[] = []
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

  function laneOf(counter: Counter): Lane {
    let lane = byCounter.get(counter)
    if (lane) return lane
    lane = byId.get(counter.id)
    if (!lane) {
      lane = { counter, tag: (lanes.length + 1) << 3, ...bestFit(counter) }
      lanes.push(lane)
      byId.set(counter.id, lane)
    }
    byCounter.set(counter, lane)
    return lane
  }

  function bestFit({ algorithm, largest }: Counter): Pick<Lane, 'meter' | 'shelf' | 'most'> {
    if (algorithm === 'sliding-window' && largest > 0xffff) {
      wide ??= createShelf(WIDE, maxKeys)
      return { meter: wideWindow, shelf: wide, most: 0xffffffff }
    }
    narrow ??= createShelf(NARROW, maxKeys)
    if (algorithm === 'sliding-window') return { meter: narrowWindow, shelf: narrow, most: 0xffff }
    return {
      meter: algorithm === 'fixed-window' ? fixedWindow : tokenBucket,
      shelf: narrow,
      most: Number.MAX_SAFE_INTEGER,
    }
  }

  function evict(shelf: Shelf, now: number): void {
    const { table, met } = shelf
    let least = -1
    for (let i = 0; i < LOOK; i++) {
      const row = shelf.hand
      shelf.hand = row + 1 < table.top ? row + 1 : 0
      const at = row * table.stride
      const tag = shelf.words[at + 4] as number // the hand stays inside
      if (tag === 0) continue
      if (isExpired(shelf, at, tag, now)) {
        removeRow(table, at)
        return
      }
      const count = met[row] as number
      if (least < 0 || count < (met[least] as number)) least = row
      if (count === 0) break
      met[row] = count - 1
    }
    evictions++
    removeRow(table, least * table.stride)
    options.onEvict?.()
  }

  function isExpired(shelf: Shelf, at: number, tag: number, now: number): boolean {
    const lane = lanes[(tag >> 3) - 1]
    return lane === undefined || lane.meter.expired(shelf, at, lane.counter, now)
  }

  function sweep(shelf: Shelf, now: number): void {
    for (let i = 0; i < 2; i++) {
      const at = shelf.hand * shelf.table.stride
      shelf.hand = shelf.hand + 1 < shelf.table.top ? shelf.hand + 1 : 0
      const tag = shelf.words[at + 4] as number // the hand stays inside
      if (tag !== 0 && isExpired(shelf, at, tag, now)) removeRow(shelf.table, at)
    }
  }

  function insert(lane: Lane, key: CounterKey, now: number): number {
    const { shelf } = lane
    if (shelf.table.size === shelf.table.capacity) evict(shelf, now)
    else sweep(shelf, now)
    const at = addRow(shelf.table, key.a, key.b, key.c, key.d, lane.tag | key.kind)
    shelf.met[at / shelf.table.stride] = 0
    lane.meter.start(shelf, at, lane.counter, now)
    return at
  }

  function find(lane: Lane, key: CounterKey): number {
    const { shelf } = lane
    const at = findRow(shelf.table, key.a, key.b, key.c, key.d, lane.tag | key.kind)
    if (at >= 0) {
      const row = at / shelf.table.stride
      const met = shelf.met[row] as number // rows are inside
      if (met < 3) shelf.met[row] = met + 1
    }
    return at
  }

  /** The second pass for one hit: changes what may change, and says how it stands now. */
  function settle(hit: Hit, i: number, now: number, consume: boolean, commit: HitCommit): HitReply {
    const { counter, cost } = hit
    const key = keys[i] as CounterKey // the first pass filled the scratch, here and below
    const lane = laneOf(counter)
    const { shelf, meter } = lane
    const limit = hit.burst ?? hit.limit
    // An insertion for an earlier hit may have taken this one's row.
    let at = i === 0 ? (offsets[i] as number) : find(lane, key)
    let count = used[i] as number
    const slot = counter.window > 0 ? meter.slot(counter, now) : 0
    if (consume && cost !== 0 && counter.window > 0) {
      if (at < 0 && cost > 0) at = insert(lane, key, now)
      if (at >= 0) {
        meter.add(shelf, at, counter, hit.limit, cost, hit.slot ?? slot)
        count = Math.max(0, count + cost)
      }
    }
    const ok = admitted[i] as boolean
    const ban = standing[i]
    const reply: { -readonly [K in keyof HitReply]: HitReply[K] } = {
      admitted: ok,
      remaining: Math.max(0, Math.floor(limit - count)),
      resetAt: at >= 0 ? meter.resetAt(shelf, at, counter, hit.limit, now) : now,
      retryAt: ok ? now : refusedUntil(hit, lane, at, count + cost - limit, now, ban),
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
        bans.add(banned)
        reply.banned = banned
        const lane = laneOf(counter)
        const row = counter.window > 0 && at >= 0 ? find(lane, key) : -1
        if (row >= 0) removeRow(lane.shelf.table, row)
      }
    }
    if (struck || commit === 'none') reply.strikes = strikes.times(counter, key, ladder, now).length
  }

  return {
    hit(hits, now, commit) {
      let live = commit === 'all'
      let shadow = live
      for (let i = 0; i < hits.length; i++) {
        const hit = hits[i] as Hit // inside
        const { counter, cost } = hit
        const lane = laneOf(counter)
        const key = keyOf(hit)
        keys[i] = key
        const at = counter.window > 0 ? find(lane, key) : -1
        const count = at < 0 ? 0 : lane.meter.used(lane.shelf, at, counter, hit.limit, now)
        const ban = bans.size > 0 && key.kind !== 0 ? bans.find(counter, key, now) : undefined
        const ok =
          ban === undefined && !hit.strike && (cost <= 0 || count + cost <= Math.min(hit.burst ?? hit.limit, lane.most))
        offsets[i] = at
        used[i] = count
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
      return replies
    },
    forgive: (prefix) => strikes.forgive(prefix),
    stats() {
      const shelves = [narrow, wide].filter((shelf) => shelf !== undefined)
      return {
        counters: shelves.reduce((sum, shelf) => sum + shelf.table.size, 0),
        counterBytes: shelves.reduce(
          (sum, { table, met }) => sum + table.rows.byteLength + table.index.byteLength + met.byteLength,
          0,
        ),
        strikes: strikes.size(),
        evictions,
      }
    },
  }
}

function refusedUntil(hit: Hit, lane: Lane, at: number, excess: number, now: number, ban: Entry | undefined): number {
  if (ban) return ban.expiresAt ?? Number.MAX_SAFE_INTEGER
  if (at < 0) return now + lane.counter.window
  return lane.meter.freeAt(lane.shelf, at, lane.counter, hit.limit, excess, now)
}

function createShelf(stride: number, maxKeys: number): Shelf {
  const table = createKeyTable(stride, maxKeys)
  const { buffer } = table.rows
  return {
    table,
    words: table.rows,
    counts: stride === NARROW ? new Uint16Array(buffer) : new Uint32Array(buffer),
    floats: new Float64Array(buffer, 0, buffer.byteLength >> 3),
    met: new Uint8Array(maxKeys),
    hand: 0,
  }
}
