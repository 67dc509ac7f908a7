import { entryOf, hitOf, keyOf, limiter } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const HOUR = 3_600_000
const client = keyOf('203.0.113.7')
const tiers = [{ name: 'jail', ban: '1h' }] as const
const site = limiter({ name: 'site', limit: 1, window: '10s', ladder: tiers })
const route = limiter({ name: 'route', limit: 1, window: '10s', ladder: { tiers, scope: 'policy' } })
const second = limiter({ name: 'second', limit: 1, window: '10s', ladder: { tiers, scope: 'policy' } })
const shadow = limiter({ name: 'site', limit: 1, window: '10s', ladder: tiers }, true)
const plain = limiter({ name: 'plain', limit: 99, window: '10s' })

export const scopeCases: readonly StoreCase[] = [
  {
    name: 'scope: a site-wide ban refuses the hits of every live counter',
    async run({ expect, one, admitted }) {
      await admitted(0, hitOf(site, client), 2)
      for (const counter of [site, route, plain]) {
        const { admitted: passed, ban } = await one(1, hitOf(counter, client))
        expect([passed, ban?.by]).toEqual([false, 'site'])
      }
    },
  },
  {
    name: "scope: a policy's ban refuses that policy's hits only",
    async run({ expect, one, admitted, entries }) {
      await admitted(0, hitOf(route, client), 2)
      const replies = [
        await one(1, hitOf(route, client)),
        await one(1, hitOf(second, client)),
        await one(1, hitOf(plain, client)),
      ]
      expect(replies.map(({ admitted: passed, ban }) => [passed, ban?.policy])).toEqual([
        [false, 'route'],
        [true, undefined],
        [true, undefined],
      ])
      expect((await entries(1)).map(({ policy }) => policy)).toEqual(['route'])
    },
  },
  {
    name: 'scope: a shadow ban is seen by its own shadow counter only',
    async run({ expect, one, admitted, entries }) {
      await admitted(0, hitOf(shadow, client), 2)
      const { ban } = await one(1, hitOf(shadow, client))
      expect([ban?.shadow, ban?.policy]).toEqual([true, 'site'])
      expect([await admitted(1, hitOf(plain, client), 2), await admitted(1, hitOf(site, client), 1)]).toEqual([2, 1])
      expect((await entries(1)).map((entry) => entry.shadow)).toEqual([true])
    },
  },
  {
    name: 'scope: a shadow counter sees no live ban',
    async run({ expect, store, one }) {
      await store.entries.put([entryOf('203.0.113.7/32', { until: HOUR })])
      expect((await one(1, hitOf(shadow, client))).admitted).toBe(true)
    },
  },
  {
    name: 'scope: strikes of a shadow counter are its own',
    async run({ expect, one }) {
      const ladder = [{ ban: '1h', after: 3 }] as const
      const live = limiter({ name: 'both', limit: 0, window: '10s', ladder })
      await one(0, hitOf(limiter({ name: 'both', limit: 0, window: '10s', ladder }, true), client))
      expect((await one(0, hitOf(live, client), 'none')).strikes).toBe(0)
    },
  },
  {
    name: 'ban: one that was put by hand refuses, and nothing is consumed by the other hits',
    async run({ expect, store, send, one }) {
      const ban = entryOf('203.0.113.7/32', { until: HOUR })
      await store.entries.put([ban])
      const replies = await send(1, [hitOf(plain, keyOf('203.0.113.8')), hitOf(plain, client)])
      expect(replies.map((reply) => [reply.admitted, reply.ban])).toEqual([
        [true, undefined],
        [false, ban],
      ])
      expect((await one(1, hitOf(plain, keyOf('203.0.113.8'), { cost: 0 }))).remaining).toBe(99)
    },
  },
  {
    name: 'ban: a refund gives back while one stands',
    async run({ expect, store, one }) {
      const { slot } = await one(0, hitOf(plain, client, { cost: 5 }))
      const ban = entryOf('203.0.113.7/32', { until: HOUR })
      await store.entries.put([ban])
      const back = await one(1, hitOf(plain, client, { cost: -5, slot }))
      expect([back.admitted, back.remaining]).toEqual([true, 99])
    },
  },
  {
    name: 'ban: a permanent one has no end',
    async run({ expect, store, one }) {
      await store.entries.put([entryOf('203.0.113.7/32', {})])
      const { admitted, ban, retryIn } = await one(1e12, hitOf(plain, client))
      expect([admitted, ban?.expiresAt, retryIn >= 1e15]).toEqual([false, undefined, true])
    },
  },
  {
    name: 'ban: a reply tells of one on exactly the key, not on a wider or narrower prefix, an allow or a deny',
    async run({ expect, store, one }) {
      await store.entries.put([
        entryOf('203.0.113.0/24', { until: HOUR }),
        entryOf('2001:db8::/56', { until: HOUR }),
        entryOf('2001:db8::1/128', { until: HOUR }),
        entryOf('203.0.113.7/32', { kind: 'allow', until: HOUR }),
        entryOf('203.0.113.7/32', { kind: 'deny', until: HOUR }),
      ])
      for (const key of [client, keyOf('2001:db8::/64')]) {
        const { admitted, ban } = await one(1, hitOf(plain, key))
        expect([admitted, ban]).toEqual([true, undefined])
      }
    },
  },
  {
    name: 'ban: after its removal the client passes, and with forgive its strikes are gone',
    async run({ expect, store, one, admitted }) {
      for (const [forgive, strikes] of [
        [false, 1],
        [true, 0],
      ] as const) {
        const key = keyOf(forgive ? '203.0.113.9' : '203.0.113.8')
        await admitted(0, hitOf(site, key), 2)
        const id = `ban ${key.text}/32`
        await store.entries.remove([id], forgive ? { forgive: `${key.text}/32` } : {})
        expect((await one(1, hitOf(site, key), 'none')).strikes).toBe(strikes)
        expect((await one(1, hitOf(site, key))).admitted).toBe(true)
      }
    },
  },
  {
    name: 'ban: forgive clears the strikes of every client inside the prefix, and of nobody else',
    async run({ expect, store, one }) {
      const login = limiter({ name: 'login', ladder: [{ ban: '1h', after: 9 }] })
      const keys = ['2001:db8::/64', '2001:db8:0:ff::/64', '2001:db8:0:100::/64', '203.0.113.7'].map(keyOf)
      for (const key of keys) await one(0, hitOf(login, key, { limit: 0, cost: 0, strike: true }))
      await store.entries.remove([], { forgive: '2001:db8::/56' })
      const left: unknown[] = []
      for (const key of keys) left.push((await one(1, hitOf(login, key, { cost: 0 }), 'none')).strikes)
      expect(left).toEqual([0, 0, 1, 1])
    },
  },
]
