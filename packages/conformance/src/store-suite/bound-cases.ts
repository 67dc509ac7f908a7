import { entryOf, hitOf, keyOf, limiter, manyKeys, START } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const HOUR = 3_600_000
const counter = limiter({ name: 'bounded', limit: 100, window: '1h' })
const isPromise = (value: unknown): boolean => value instanceof Promise

export const boundCases: readonly StoreCase[] = [
  {
    name: 'synchronous: hits, records and entries answer at once',
    needs: 'synchronous',
    async run({ expect, store }) {
      const answers = [
        store.hit([hitOf(counter, keyOf('203.0.113.7'))], { now: START, commit: 'all' }),
        store.set('key', 'value', START + 1_000),
        store.get('key'),
        store.delete('key'),
        store.entries.put([entryOf('203.0.113.7/32', { until: HOUR })]),
        store.entries.remove([]),
      ]
      expect(answers.map(isPromise)).toEqual(answers.map(() => false))
      await Promise.all(answers.map(async (answer) => answer))
    },
  },
  {
    name: 'bounded: no more counters than maxKeys, and what had to go is told',
    needs: 'bounded',
    caps: { maxKeys: 100 },
    async run({ expect, store, one }) {
      for (const key of manyKeys(1_000)) await one(0, hitOf(counter, key))
      const stats = await store.stats?.()
      expect([stats?.counters, stats?.evictions]).toEqual([100, 900])
    },
  },
  {
    name: 'bounded: a counter that is met again outlives a flood of those that come once',
    needs: 'bounded',
    caps: { maxKeys: 100 },
    async run({ expect, one }) {
      const honest = keyOf('203.0.113.7')
      let sent = 0
      for (const [i, key] of manyKeys(1_000).entries()) {
        if (i % 50 === 0) {
          const { remaining } = await one(i, hitOf(counter, honest))
          sent++
          expect(remaining).toBe(100 - sent)
        }
        await one(i, hitOf(counter, key))
      }
    },
  },
  {
    name: 'bounded: counters that have ended make room first',
    needs: 'bounded',
    caps: { maxKeys: 100 },
    async run({ expect, store, one }) {
      const keys = manyKeys(300)
      for (const [i, key] of keys.entries()) await one(i < 100 ? 0 : 2 * HOUR, hitOf(counter, key))
      expect((await store.stats?.())?.evictions).toBe(100)
    },
  },
  {
    name: 'bounded: counters that have ended make room before live ones of another window',
    needs: 'bounded',
    caps: { maxKeys: 100 },
    async run({ expect, store, one }) {
      const short = limiter({ name: 'short', limit: 100, window: '1s' })
      for (const [i, key] of manyKeys(100).entries()) await one(0, hitOf(i % 2 === 0 ? counter : short, key))
      for (const key of manyKeys(150).slice(100)) await one(2_000, hitOf(counter, key))
      const stats = await store.stats?.()
      expect([stats?.counters, stats?.evictions]).toEqual([100, 0])
    },
  },
  {
    name: 'bounded: a flood of new clients leaves every ban',
    needs: 'bounded',
    caps: { maxKeys: 100 },
    async run({ expect, one }) {
      const login = limiter({ name: 'login', limit: 0, window: '1h', ladder: [{ ban: '24h' }] })
      await one(0, hitOf(login, keyOf('203.0.113.7')))
      for (const key of manyKeys(1_000)) await one(1, hitOf(counter, key))
      expect((await one(2, hitOf(counter, keyOf('203.0.113.7')))).ban?.by).toBe('login')
    },
  },
  {
    name: 'bounded: no more bans than maxBans; the one nearest its end goes',
    needs: 'bounded',
    caps: { maxBans: 50 },
    async run({ expect, store, entries }) {
      const bans = manyKeys(80).map(({ text }, i) => entryOf(`${text}/32`, { until: HOUR + ((i * 37) % 80) }))
      for (const ban of bans) await store.entries.put([ban])
      const kept = await entries(1)
      expect(kept.length).toBe(50)
      // Each new one came in, so the longest of all are there in any order of arrival.
      const longest = bans.toSorted((x, y) => (y.expiresAt ?? 0) - (x.expiresAt ?? 0)).slice(0, 49)
      const held = new Set(kept.map(({ id }) => id))
      expect(longest.filter(({ id }) => !held.has(id))).toEqual([])
    },
  },
  {
    name: 'bounded: putting a ban again when full costs no other one',
    needs: 'bounded',
    caps: { maxBans: 50 },
    async run({ expect, store, entries }) {
      const bans = manyKeys(50).map(({ text }, i) => entryOf(`${text}/32`, { until: HOUR + i }))
      await store.entries.put(bans)
      for (const ban of bans) await store.entries.put([ban])
      await store.entries.put([entryOf(bans[7]?.cidr ?? '', { until: 2 * HOUR })])
      expect((await entries(1)).length).toBe(50)
    },
  },
  {
    name: 'bounded: near the cap, IPv6 siblings merge into one ban of their wider prefix that ends with the last',
    needs: 'bounded',
    caps: { maxBans: 16 },
    async run({ expect, store, entries, watch }) {
      const { changes, stop } = watch()
      const bans = Array.from({ length: 32 }, (_, i) =>
        entryOf(`2001:db8:0:${(((i >> 3) << 8) | (i & 7)).toString(16)}::/64`, { until: HOUR + i }),
      )
      for (const ban of bans) await store.entries.put([ban])
      stop()
      const kept = await entries(1)
      const covers = (cidr: string, end: number): boolean =>
        kept.some(
          (entry) =>
            (entry.cidr === cidr || (entry.cidr.endsWith('/56') && inside(entry.cidr, cidr))) &&
            (entry.expiresAt ?? 0) >= end,
        )
      expect(bans.filter(({ cidr, expiresAt }) => !covers(cidr, expiresAt ?? 0))).toEqual([])
      expect(kept.length <= 16).toBe(true)
      // A watcher ends up with the same bans.
      const copy = new Map<string, unknown>()
      for (const change of changes) {
        for (const id of change.removed ?? []) copy.delete(id)
        for (const entry of change.put ?? []) copy.set(entry.id, entry)
      }
      expect([...copy.keys()].sort()).toEqual(kept.map(({ id }) => id))
    },
  },
]

function inside(wider: string, narrow: string): boolean {
  const { a, b } = keyOf(wider)
  const { a: x, b: y } = keyOf(narrow)
  return a === x && b >>> 8 === y >>> 8
}
