import { customKey, entryOf, hitOf, keyOf, limiter, START } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const client = keyOf('203.0.113.7')
const graylist = limiter({
  name: 'limit',
  limit: 2,
  window: '60s',
  ladder: [
    { name: 'graylist', ban: '24h' },
    { name: 'blacklist', ban: '30d', after: 3 },
  ],
})
const jail = limiter({
  name: 'jail',
  limit: 2,
  window: '60s',
  ladder: [{ name: 'jail', ban: '1h', after: 3, within: '10m' }],
})
const login = limiter({ name: 'login', ladder: [{ name: 'login', ban: '15m', after: 3, within: '10m' }] })
const strike = { limit: 0, cost: 0, strike: true } as const

export const ladderCases: readonly StoreCase[] = [
  {
    name: 'strike: one a window, however many are refused',
    async run({ expect, one, admitted }) {
      await admitted(0, hitOf(jail, client), 2)
      const strikes: unknown[] = []
      for (const at of [0, 1, 59_999]) strikes.push((await one(at, hitOf(jail, client))).strikes)
      expect(strikes).toEqual([1, undefined, undefined])
      await admitted(66_000, hitOf(jail, client), 2)
      expect((await one(66_000, hitOf(jail, client))).strikes).toBe(2)
    },
  },
  {
    name: 'strike: each one from the application counts',
    async run({ expect, one }) {
      const strikes: unknown[] = []
      for (const at of [0, 0, 1]) strikes.push((await one(at, hitOf(login, client, strike))).strikes)
      expect(strikes).toEqual([1, 2, 3])
    },
  },
  {
    name: 'strike: one that is older than the tier looks back does not count',
    async run({ expect, one }) {
      for (const at of [0, 60_000]) await one(at, hitOf(login, client, strike))
      expect((await one(600_000, hitOf(login, client, strike))).banned).toBe(undefined)
      expect((await one(600_001, hitOf(login, client, strike))).banned?.expiresAt).toBe(START + 600_001 + 900_000)
    },
  },
  {
    name: 'strike: a forgotten one is not told',
    async run({ expect, one }) {
      const short = limiter({ name: 'short', ladder: { tiers: [{ ban: '1s', after: 9 }], decay: '10s' } })
      await one(0, hitOf(short, client, strike))
      expect((await one(9_999, hitOf(short, client, strike))).strikes).toBe(2)
      expect((await one(10_000, hitOf(short, client, strike), 'none')).strikes).toBe(1)
    },
  },
  {
    name: 'ladder: the hit that reaches a tier tells of the ban, and the entries have it',
    async run({ expect, one, admitted, entries }) {
      await admitted(0, hitOf(graylist, client), 2)
      const { admitted: passed, banned } = await one(1_000, hitOf(graylist, client))
      const ban = entryOf('203.0.113.7/32', { at: 1_000, until: 1_000 + DAY, by: 'limit', tier: 'graylist' })
      expect([passed, banned]).toEqual([false, ban])
      expect(await entries(2_000)).toEqual([ban])
    },
  },
  {
    name: 'ladder: a ban stands from the next hit to its end exactly',
    async run({ expect, one, admitted }) {
      await admitted(0, hitOf(graylist, client), 3)
      for (const at of [0, 1_000, DAY - 1]) {
        const { admitted: passed, ban, retryIn, banned } = await one(at, hitOf(graylist, client))
        expect([passed, ban?.expiresAt, retryIn, banned]).toEqual([false, START + DAY, DAY - at, undefined])
      }
      expect((await one(DAY, hitOf(graylist, client))).admitted).toBe(true)
    },
  },
  {
    name: 'ladder: the highest tier reached applies',
    async run({ expect, one, admitted }) {
      const tiers: unknown[] = []
      for (const at of [0, 25 * HOUR, 50 * HOUR]) {
        await admitted(at, hitOf(graylist, client), 2)
        const { banned } = await one(at, hitOf(graylist, client))
        tiers.push([banned?.tier, (banned?.expiresAt ?? 0) - START - at])
      }
      expect(tiers).toEqual([
        ['graylist', DAY],
        ['graylist', DAY],
        ['blacklist', 30 * DAY],
      ])
    },
  },
  {
    name: 'ladder: a ban clears its counter',
    async run({ expect, admitted }) {
      const quick = limiter({ name: 'quick', limit: 2, window: '60s', ladder: [{ ban: '1s' }] })
      expect(await admitted(0, hitOf(quick, client), 3)).toBe(2)
      expect(await admitted(1_000, hitOf(quick, client), 3)).toBe(2)
    },
  },
  {
    name: 'ladder: no strikes while banned, from the application neither',
    async run({ expect, one }) {
      for (const at of [0, 0, 0]) await one(at, hitOf(login, client, strike))
      for (const at of [1, 300_000, 899_999]) {
        const { admitted, ban, strikes, banned } = await one(at, hitOf(login, client, strike))
        expect([admitted, ban?.tier, strikes, banned]).toEqual([false, 'login', undefined, undefined])
      }
      expect((await one(900_000, hitOf(login, client, strike))).banned).toBe(undefined)
    },
  },
  {
    name: 'ladder: a ban that stands is neither shortened nor replaced',
    async run({ expect, store, one, admitted, entries }) {
      const manual = entryOf('203.0.113.7/32', { until: 60 * DAY, reason: 'by hand' })
      await admitted(0, hitOf(graylist, client), 2)
      await store.entries.put([manual])
      expect((await one(1_000, hitOf(graylist, client))).ban).toEqual(manual)
      await store.entries.put([entryOf('203.0.113.7/32', { at: 2_000, until: HOUR })])
      expect(await entries(3_000)).toEqual([manual])
    },
  },
  {
    name: 'ladder: several counters may ban in one hit; the longer ban stays',
    async run({ expect, send, entries }) {
      const long = limiter({ name: 'long', limit: 0, window: '60s', ladder: [{ ban: '2h' }] })
      const short = limiter({ name: 'short', limit: 0, window: '60s', ladder: [{ ban: '1h' }] })
      for (const [i, pair] of [
        [long, short],
        [short, long],
      ].entries()) {
        const key = keyOf(`203.0.113.${i}`)
        await send(
          0,
          pair.map((counter) => hitOf(counter, key)),
        )
      }
      expect((await entries(1)).map(({ expiresAt }) => (expiresAt ?? 0) - START)).toEqual([2 * HOUR, 2 * HOUR])
    },
  },
  {
    name: 'ladder: an exempt client is refused, and neither strikes nor is banned',
    async run({ expect, one, admitted, entries }) {
      await admitted(0, hitOf(graylist, client, { exempt: true }), 2)
      for (let i = 0; i < 5; i++) {
        const reply = await one(i * 100_000, hitOf(graylist, client, { exempt: true, cost: 3 }))
        expect([reply.admitted, reply.strikes, reply.banned]).toEqual([false, undefined, undefined])
      }
      expect(await entries(600_000)).toEqual([])
      expect((await one(600_000, hitOf(graylist, client), 'none')).strikes).toBe(0)
    },
  },
  {
    name: 'ladder: a custom key has no strikes and no bans',
    async run({ expect, one, entries }) {
      const key = customKey('203.0.113.7')
      const reply = await one(0, hitOf(graylist, key, { cost: 3 }))
      expect([reply.admitted, reply.banned]).toEqual([false, undefined])
      expect(await entries(1)).toEqual([])
    },
  },
  {
    name: 'ladder: jitter only lengthens',
    async run({ expect, one }) {
      const jittery = limiter({ name: 'jittery', ladder: { tiers: [{ ban: '1000s' }], jitter: 0.5 } })
      const ends: unknown[] = []
      for (const [i, jitter] of [0, 0.5, 0.999_999].entries()) {
        const { banned } = await one(0, hitOf(jittery, keyOf(`203.0.113.${i}`), { ...strike, jitter }))
        ends.push((banned?.expiresAt ?? 0) - START)
      }
      expect(ends).toEqual([1_000_000, 1_250_000, 1_500_000])
    },
  },
  {
    name: 'ladder: an IPv6 client is banned by its prefix',
    async run({ expect, one }) {
      const { banned } = await one(0, hitOf(login, keyOf('2001:db8:0:7::/64'), strike))
      expect(banned).toBe(undefined)
      const { banned: second } = await one(
        0,
        hitOf(limiter({ name: 'once', ladder: [{ ban: '1h' }] }), keyOf('2001:db8:0:7::/64'), strike),
      )
      expect(second?.cidr).toBe('2001:db8:0:7::/64')
    },
  },
]
