import { entryOf, hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import type { Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { redisCommand } from '@ipguard/tools'
import { describe, expect, it } from 'vitest'
import { oneRedis } from './one-redis.ts'
import { freshPrefix } from './suites.ts'

const MANY = 300
const WINDOW = 10_000
const IP = '203.0.113.7'

const redis = oneRedis()

describe.each(['sliding-window', 'fixed-window', 'token-bucket'] as const)(
  `${MANY} counters of one client, each a %s`,
  (algorithm) => {
    let now = SUITE_START
    const options = Array.from(
      { length: MANY },
      (_, i) => ({ name: `n${i}`, limit: 2, window: WINDOW, algorithm }) as const,
    )
    const counters = options.map((each) => limiter({ ...each, ladder: [{ name: 'out', ban: '1s', after: 2 }] }))
    const plain = options.map((each) => limiter(each))

    async function round(store: Store, some = plain): Promise<number> {
      const replies = await Promise.all(
        some.map(async (counter) => store.hit([hitOf(counter, keyOf(IP))], { now, commit: 'all' })),
      )
      return replies.filter(([reply]) => reply!.admitted).length
    }

    it('all hold, one after another and again; and those that have ended leave room', async () => {
      now = SUITE_START
      const prefix = freshPrefix()
      const store = redisStore({ client: redis.client, prefix, clock: { now: () => now } })
      const size = async (): Promise<number> => Number(await redisCommand(redis.port, 'STRLEN', `${prefix}:1:{${IP}}`))
      expect([await round(store), await round(store)]).toEqual([MANY, MANY])
      // Who writes the client's bans keeps its counters.
      await store.entries.put([entryOf(`${IP}/32`, { until: 1 })])
      now += 1
      await store.entries.remove([], { forgive: `${IP}/32` })
      expect(await round(store)).toBe(0)
      const full = await size()
      now += 3 * WINDOW
      expect(await round(store, plain.slice(0, 1))).toBe(1)
      expect(await size()).toBeLessThan((full * 260) / MANY)
      expect(await round(store, plain.slice(1))).toBe(MANY - 1)
      expect([await round(store), await round(store)]).toEqual([MANY, 0])
    })

    it('a ban by the last one clears its count', async () => {
      now = SUITE_START
      const store = redisStore({ client: redis.client, prefix: freshPrefix(), clock: { now: () => now } })
      await round(store)
      const last = counters.at(-1)!
      const [banned] = await store.hit([hitOf(last, keyOf(IP), { cost: 0, strike: true })], { now, commit: 'all' })
      expect(banned).toMatchObject({ strikes: 1 })
      const [again] = await store.hit([hitOf(last, keyOf(IP), { cost: 0, strike: true })], { now, commit: 'all' })
      expect(again).toMatchObject({ banned: { tier: 'out' } })
      now += 1_000
      const [read] = await store.hit([hitOf(last, keyOf(IP), { cost: 0 })], { now, commit: 'none' })
      expect(read).toMatchObject({ remaining: 2 })
    })
  },
)
