import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import {
  type CounterKey,
  createGuard,
  type Hit,
  type HitReply,
  rateLimit,
  type Store,
  type StoreStats,
} from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, it } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const CAP = 100_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const limit = limiter({ name: 'flooded', limit: 1_000, window: '24h' })
const once = limiter({ name: 'once', ladder: [{ name: 'graylist', ban: '30d' }] })
const strike = { limit: 0, cost: 0, strike: true } as const

/** The n-th /64 of 2001:db8::/32 and on; its text is made only where it is read. */
function rotating(n: number): CounterKey {
  return { kind: 6, length: 64, a: 0x20010db8 + Math.floor(n / 2 ** 32), b: n | 0, c: 0, d: 0, text: '' }
}

/** All that the process holds outside of code: the heap and the buffers of typed arrays. */
function bytesHeld(): number {
  collect()
  const { heapUsed, arrayBuffers, external } = process.memoryUsage()
  return heapUsed + Math.max(arrayBuffers, external)
}

function statsOf(store: Store): StoreStats {
  // The memory store answers at once.
  return store.stats!() as StoreStats
}

function one(store: Store, hit: Hit, now: number): HitReply {
  return (store.hit([hit], { now, commit: 'all' }) as readonly HitReply[])[0]!
}

describe('5,000,000 rotating IPv6 keys, with a cap of 100,000', () => {
  const warnings: string[] = []
  const store = memoryStore({ maxKeys: CAP, onWarning: ({ code }) => warnings.push(code) })
  const offender = hitOf(limit, keyOf('203.0.113.66'))
  const honest = hitOf(limit, keyOf('203.0.113.7'))
  let now = SUITE_START

  it('memory is flat after the cap, an honest client has its exact count, a ban stays', () => {
    expect(one(store, hitOf(once, keyOf('203.0.113.66'), strike), now).banned?.tier).toBe('graylist')
    const held: number[] = []
    let visits = 0
    for (let n = 0; n < 5_000_000; n++) {
      if (n % 50_000 === 0) {
        visits++
        expect(one(store, honest, now).remaining).toBe(1_000 - visits)
      }
      if (n % 1_000_000 === 200_000) held.push(bytesHeld())
      if (n % 100 === 0) now += 1
      one(store, { counter: limit, key: rotating(n), limit: 1_000, cost: 1 }, now)
    }
    held.push(bytesHeld())
    expect(Math.max(...held) - held[0]!).toBeLessThan(2_000_000)
    const stats = statsOf(store)
    expect(stats.counters).toBe(CAP)
    expect(stats.evictions).toBeGreaterThan(4_800_000)
    expect(stats.counterBytes / CAP).toBeLessThanOrEqual(64)
    // Silent since before the flood.
    expect(one(store, offender, now).ban?.tier).toBe('graylist')
    expect(warnings).toEqual(['IPGUARD_STORE_FULL'])
  })

  it('a clock that steps changes no ban', () => {
    const end = SUITE_START + 30 * DAY
    for (const at of [now - HOUR, now + HOUR, SUITE_START, end - 1])
      expect(one(store, offender, at).ban?.expiresAt).toBe(end)
    expect(one(store, offender, end).ban).toBe(undefined)
  })
})

describe('one hit during a flood', () => {
  it('looks at no more than 64 rows to make room, whatever is in the table', () => {
    // Every row was met often: the longest search there is. Of rows that were met alike the first one looked at goes, so which keys go shows how
    // far the hand went for each.
    const cap = 6_400
    const store = memoryStore({ maxKeys: cap })
    const add = (n: number): HitReply =>
      one(store, { counter: limit, key: rotating(n), limit: 1_000, cost: 1 }, SUITE_START)
    for (let round = 0; round < 4; round++) for (let n = 0; n < cap; n++) add(n)
    for (let n = cap; n < cap + 100; n++) add(n)
    const gone: number[] = []
    for (let n = 0; n < cap; n++) {
      const key = rotating(n)
      const [read] = store.hit([{ counter: limit, key, limit: 1_000, cost: 0 }], {
        now: SUITE_START,
        commit: 'none',
      }) as readonly HitReply[]
      if (read!.remaining !== 996) gone.push(n)
    }
    // Where the hand stood at first is no matter.
    expect(gone).toEqual(Array.from({ length: 100 }, (_, i) => gone[0]! + i * 64))
    expect(statsOf(store).evictions).toBe(100)
  })
})

describe('200,000 bans, with a cap of 100,000', () => {
  const clock = { time: SUITE_START }

  it('IPv6 siblings merge into their wider prefix, and nobody is let go', () => {
    const warnings: string[] = []
    const store = memoryStore({ maxBans: CAP, onWarning: ({ code }) => warnings.push(code) })
    const copy = new Set<string>()
    store.entries.watch(({ put = [], removed = [] }) => {
      for (const id of removed) copy.delete(id)
      for (const { id } of put) copy.add(id)
    })
    for (let n = 0; n < 200_000; n++) {
      // Four /64 of each /56.
      const third = (n >> 2) & 0xff
      const key = keyOf(`2001:db8:${(n >> 10).toString(16)}:${((third << 8) | (n & 3)).toString(16)}::/64`)
      expect(one(store, hitOf(once, key, strike), SUITE_START + n).banned).toBeDefined()
    }
    const entries = [
      ...(store.entries.load() as Iterable<readonly { cidr: string; expiresAt?: number; id: string }[]>),
    ].flat()
    expect(warnings).toEqual([])
    expect(entries.length).toBeLessThanOrEqual(CAP)
    expect(entries.filter(({ cidr }) => !cidr.endsWith('/64')).length).toBeGreaterThan(30_000)
    // Every one of them is covered, up to its end.
    const byPrefix = new Map(entries.map(({ cidr, expiresAt }) => [cidr, expiresAt ?? 0]))
    let lost = 0
    for (let n = 0; n < 200_000; n++) {
      const third = (n >> 2) & 0xff
      const block = `2001:db8:${(n >> 10).toString(16)}:`
      const own = keyOf(`${block}${((third << 8) | (n & 3)).toString(16)}::/64`)
      const ends = [48, 56, 64].map((length) => byPrefix.get(canonical(own, length)) ?? 0)
      if (Math.max(...ends) < SUITE_START + n + 30 * DAY) lost++
    }
    expect(lost).toBe(0)
    expect([...copy].sort()).toEqual(entries.map(({ id }) => id).sort())
  })

  it('without siblings the ones nearest their end go, with IPGUARD_BANS_FULL', () => {
    const warnings: { code: string; message: string }[] = []
    const store = memoryStore({ maxBans: CAP, onWarning: (warning) => warnings.push(warning) })
    for (let n = 0; n < 200_000; n++) {
      one(store, hitOf(once, keyOf(`${(n >> 16) + 50}.${(n >> 8) & 255}.${n & 255}.1`), strike), SUITE_START + n)
    }
    const ends = [...(store.entries.load() as Iterable<readonly { expiresAt?: number }[]>)]
      .flat()
      .map(({ expiresAt }) => expiresAt ?? 0)
    expect(ends.length).toBe(CAP)
    expect(
      Math.min(
        ...ends.slice(0, 1),
        ends.reduce((x, y) => Math.min(x, y)),
      ),
    ).toBe(SUITE_START + 100_000 + 30 * DAY)
    expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_BANS_FULL'])
    expect(warnings[0]?.message).toContain('maxBans')
  })

  it('the copy in a guard holds no more than the store', async () => {
    const guard = createGuard({
      store: memoryStore({ maxBans: 1_000 }),
      clock: { now: () => clock.time },
      policies: [
        rateLimit({ name: 'none', limit: 0, window: '60s', ladder: { tiers: [{ ban: '30d' }], widen: false } }),
      ],
    })
    for (let n = 0; n < 8_000; n++) {
      clock.time++
      await guard.check(
        { method: 'GET', url: '/', headers: { get: () => null } },
        { peer: `2001:db8:${(n >> 10).toString(16)}:${((((n >> 2) & 0xff) << 8) | (n & 3)).toString(16)}::1` },
      )
    }
    expect(guard.metrics().activeBans).toBeLessThanOrEqual(1_000)
    await guard.close()
  })
})

function canonical({ text }: CounterKey, length: number): string {
  const groups = text.replace('::/64', '').split(':')
  const words = [...groups, '0', '0', '0', '0'].slice(0, 4).map((group) => Number.parseInt(group || '0', 16))
  const last = words[3]!
  words[3] = length === 64 ? last : length === 56 ? last & 0xff00 : 0
  const shown = words.map((word) => word.toString(16))
  while (shown.length > 0 && shown.at(-1) === '0') shown.pop()
  return `${shown.join(':')}::/${length}`
}
