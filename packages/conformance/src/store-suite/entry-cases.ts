import type { EntryChange } from '@ipguard/core'
import { entryOf, hitOf, keyOf, limiter, manyKeys, START } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const HOUR = 3_600_000
const ids = (entries: readonly { readonly id: string }[]): readonly string[] => entries.map(({ id }) => id).sort()
const put = (changes: readonly EntryChange[]): readonly string[] =>
  changes.flatMap((change) => (change.put ?? []).map(({ id }) => id))
const removed = (changes: readonly EntryChange[]): readonly string[] =>
  changes.flatMap((change) => change.removed ?? [])

export const entryCases: readonly StoreCase[] = [
  {
    name: 'entries: none at first; load answers all that were put, field by field',
    async run({ expect, store, entries }) {
      expect(await entries(0)).toEqual([])
      const all = [
        entryOf('198.51.100.0/24', { kind: 'deny', reason: 'line\r\nbreak \u202e "quotes" \u{1f4a5}' }),
        entryOf('2001:db8::/32', { kind: 'allow', until: HOUR, by: '__proto__' }),
        entryOf('203.0.113.7/32', { until: HOUR, tier: 'graylist', policy: 'a "b" c' }),
        entryOf('203.0.113.7/32', { until: HOUR, policy: '__proto__', shadow: true }),
        entryOf('::/0', { kind: 'mode', mode: 'shadow' }),
      ]
      await store.entries.put(all)
      expect(await entries(1)).toEqual(all.sort((x, y) => (x.id < y.id ? -1 : 1)))
    },
  },
  {
    name: 'entries: load answers many, each once, and none of those that have ended',
    async run({ expect, store, entries }) {
      const many = manyKeys(2_500).map(({ text }, i) => entryOf(`${text}/32`, { until: i % 2 === 0 ? HOUR : 2 * HOUR }))
      for (let i = 0; i < many.length; i += 500) await store.entries.put(many.slice(i, i + 500))
      expect(ids(await entries(1))).toEqual(ids(many))
      expect(ids(await entries(HOUR))).toEqual(ids(many.filter((_, i) => i % 2 === 1)))
    },
  },
  {
    name: 'entries: as many are put in one call, and removed in one',
    async run({ expect, store, entries }) {
      const many = manyKeys(2_500).map(({ text }) => entryOf(`${text}/32`, { until: HOUR }))
      await store.entries.put(many)
      expect((await entries(1)).length).toBe(2_500)
      await store.entries.remove(many.slice(1).map(({ id }) => id))
      expect(ids(await entries(1))).toEqual(ids(many.slice(0, 1)))
    },
  },
  {
    name: 'entries: putting twice is putting once',
    async run({ expect, store, entries }) {
      const ban = entryOf('203.0.113.7/32', { until: HOUR })
      await store.entries.put([ban, ban])
      await store.entries.put([ban])
      expect(await entries(1)).toEqual([ban])
    },
  },
  {
    name: 'entries: of two bans with one id the later end stays, whichever comes first',
    async run({ expect, store, entries }) {
      const ends = [
        entryOf('203.0.113.7/32', { until: 2 * HOUR }),
        entryOf('203.0.113.7/32', { until: HOUR, reason: 'short' }),
      ]
      const forever = entryOf('203.0.113.7/32', { reason: 'for ever' })
      await store.entries.put(ends)
      expect(await entries(1)).toEqual([ends[0]])
      await store.entries.put([forever])
      await store.entries.put(ends)
      expect(await entries(1)).toEqual([forever])
    },
  },
  {
    name: 'entries: a ban that has ended does not hold back a shorter one',
    async run({ expect, store, entries }) {
      await store.entries.put([entryOf('203.0.113.7/32', { until: HOUR })])
      const next = entryOf('203.0.113.7/32', { at: HOUR, until: HOUR + 1_000 })
      await entries(HOUR)
      await store.entries.put([next])
      expect(await entries(HOUR)).toEqual([next])
    },
  },
  {
    name: 'entries: an allow or deny entry is replaced, a shorter one too',
    async run({ expect, store, entries }) {
      for (const kind of ['allow', 'deny'] as const) {
        await store.entries.put([entryOf('203.0.113.7/32', { kind })])
        await store.entries.put([entryOf('203.0.113.7/32', { kind, until: HOUR })])
      }
      expect((await entries(1)).map(({ expiresAt }) => expiresAt)).toEqual([START + HOUR, START + HOUR])
    },
  },
  {
    name: 'entries: the mode is replaced',
    async run({ expect, store, entries }) {
      for (const mode of ['shadow', 'enforce', 'shadow'] as const) {
        const entry = entryOf('::/0', { kind: 'mode', mode })
        await store.entries.put([entry])
        expect(await entries(1)).toEqual([entry])
      }
    },
  },
  {
    name: 'entries: kinds and scopes stand side by side on one prefix',
    async run({ expect, store, entries }) {
      const all = [
        entryOf('203.0.113.7/32', { kind: 'allow' }),
        entryOf('203.0.113.7/32', { kind: 'deny' }),
        entryOf('203.0.113.7/32', {}),
        entryOf('203.0.113.7/32', { policy: 'login' }),
        entryOf('203.0.113.7/32', { policy: 'login', shadow: true }),
        entryOf('203.0.113.0/24', {}),
      ]
      await store.entries.put(all)
      expect(ids(await entries(1))).toEqual(ids(all))
    },
  },
  {
    name: 'entries: remove takes those ids and no others; unknown ones do no harm',
    async run({ expect, store, entries }) {
      const kept = entryOf('203.0.113.7/32', { policy: 'login' })
      const gone = [entryOf('203.0.113.7/32', {}), entryOf('203.0.113.7/32', { kind: 'deny' })]
      await store.entries.put([kept, ...gone])
      await store.entries.remove([entryOf('192.0.2.1/32', {}).id, ...gone.map(({ id }) => id)])
      await store.entries.remove([])
      expect(await entries(1)).toEqual([kept])
    },
  },
  {
    name: 'entries: load leaves out what has ended, at its time exactly',
    async run({ expect, store, entries }) {
      await store.entries.put([
        entryOf('203.0.113.7/32', { until: HOUR }),
        entryOf('203.0.113.8/32', { kind: 'allow', until: HOUR }),
      ])
      expect((await entries(HOUR - 1)).length).toBe(2)
      expect(await entries(HOUR)).toEqual([])
    },
  },
  {
    name: 'entries: find, where there is one, answers those of the ids that are there and have not ended',
    async run({ expect, store, entries }) {
      if (!store.entries.find) return
      const short = entryOf('203.0.113.7/32', { until: HOUR })
      const long = entryOf('203.0.113.8/32', { until: 2 * HOUR })
      await store.entries.put([short, long, entryOf('203.0.113.9/32', { until: 2 * HOUR })])
      const asked = [short.id, long.id, entryOf('192.0.2.1/32', {}).id]
      await entries(HOUR - 1)
      expect(ids(await store.entries.find(asked))).toEqual([short.id, long.id])
      await entries(HOUR)
      expect(await store.entries.find(asked)).toEqual([long])
      expect(await store.entries.find([])).toEqual([])
    },
  },
  {
    name: 'watch: hears each change in order',
    async run({ expect, store, watch }) {
      const { changes, until, stop } = watch()
      const all = Array.from({ length: 40 }, (_, i) => entryOf(`198.18.0.${i}/32`, { until: HOUR }))
      for (const entry of all) await store.entries.put([entry])
      await store.entries.remove([all[0]?.id ?? ''])
      await until((heard) => removed(heard).length > 0)
      stop()
      expect(put(changes)).toEqual(all.map(({ id }) => id))
      expect(removed(changes)).toEqual([all[0]?.id])
      expect(removed(changes.slice(-1))).toEqual([all[0]?.id])
    },
  },
  {
    name: 'watch: hears of each entry that one call puts or removes',
    async run({ expect, store, watch }) {
      const { changes, until, stop } = watch()
      const all = ids(manyKeys(12).map(({ text }) => entryOf(`${text}/32`, { until: HOUR })))
      await store.entries.put(manyKeys(12).map(({ text }) => entryOf(`${text}/32`, { until: HOUR })))
      await store.entries.remove(all)
      await store.entries.put([entryOf('203.0.113.7/32', {})])
      await until((heard) => put(heard).includes('ban 203.0.113.7/32'))
      stop()
      expect([put(changes).slice(0, -1).sort(), removed(changes).toSorted()]).toEqual([all, all])
    },
  },
  {
    name: 'watch: hears of bans that hits bring about',
    async run({ expect, watch, one }) {
      const login = limiter({ name: 'login', ladder: [{ ban: '1h' }] })
      const { changes, until, stop } = watch()
      const { banned } = await one(0, hitOf(login, keyOf('203.0.113.7'), { limit: 0, cost: 0, strike: true }))
      await until((heard) => put(heard).length > 0)
      stop()
      expect(changes.flatMap((change) => change.put ?? [])).toEqual([banned])
    },
  },
  {
    name: 'watch: every listener hears; one that has ended hears no more',
    async run({ expect, store, watch }) {
      const first = watch()
      const second = watch()
      await store.entries.put([entryOf('203.0.113.7/32', {})])
      await Promise.all([first, second].map(({ until }) => until((heard) => heard.length > 0)))
      first.stop()
      first.stop()
      await store.entries.put([entryOf('203.0.113.8/32', {})])
      await second.until((heard) => put(heard).length > 1)
      second.stop()
      expect([put(first.changes).length, put(second.changes).length]).toEqual([1, 2])
    },
  },
  {
    name: 'watch: what was put before it is in load, what comes after is heard or loaded',
    async run({ expect, store, watch, entries }) {
      const before = entryOf('203.0.113.7/32', {})
      const after = entryOf('203.0.113.8/32', {})
      await store.entries.put([before])
      const { changes, stop, until } = watch()
      await store.entries.put([after])
      await until((heard) => put(heard).includes(after.id))
      stop()
      expect(ids(await entries(1))).toEqual(ids([before, after]))
      expect(put(changes)).toEqual([after.id])
    },
  },
  {
    name: 'close: may be called again',
    async run({ expect, store }) {
      await store.close?.()
      await store.close?.()
      expect(typeof store.name).toBe('string')
    },
  },
]
