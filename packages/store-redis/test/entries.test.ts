import { entryOf, hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import type { Entry, HitCommit, HitReply } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { redisCommand } from '@ipguard/tools'
import { describe, expect, it } from 'vitest'
import { oneRedis } from './one-redis.ts'
import { freshPrefix } from './suites.ts'

const HOUR = 3_600_000

const redis = oneRedis()

const denies = (count: number): readonly Entry[] =>
  Array.from({ length: count }, (_, i) => entryOf(`198.18.${i >> 8}.${i & 255}/32`, { kind: 'deny' }))

describe('entries', () => {
  it('are found by id, the unexpired ones of those that are there', async () => {
    const prefix = freshPrefix()
    let now = SUITE_START
    const store = redisStore({ client: redis.client, prefix, clock: { now: () => now } })
    const [first, second] = [entryOf('203.0.113.7/32', { until: 1_000 }), entryOf('203.0.113.0/24', {})]
    await store.entries.put([first, second])
    const ids = [second.id, 'ban 192.0.2.1/32', first.id]
    expect(await store.entries.find!(ids)).toEqual([second, first])
    now += 1_000
    expect(await store.entries.find!(ids)).toEqual([second])
    expect(await store.entries.find!([])).toEqual([])
  })

  it('are loaded each once, in pages of 500 at most, when there are 20,000', async () => {
    const store = redisStore({ client: redis.client, prefix: freshPrefix() })
    const all = denies(20_000)
    for (let i = 0; i < all.length; i += 500) await store.entries.put(all.slice(i, i + 500))
    const ids: string[] = []
    for await (const page of store.entries.load()) {
      expect(page.length).toBeLessThanOrEqual(500)
      ids.push(...page.map(({ id }) => id))
    }
    expect(ids.length).toBe(20_000)
    expect(new Set(ids)).toEqual(new Set(all.map(({ id }) => id)))
  })

  it('put as soon as somebody watches are heard of, though the server has to be given the script first', async () => {
    const store = redisStore({ client: redis.client, prefix: freshPrefix() })
    const [first, second] = denies(2)
    // The script that puts is known already, the one that asks for changes is not.
    await store.entries.put([first!])
    await redisCommand(redis.port, 'SCRIPT', 'FLUSH')
    await store.entries.put([first!])
    const heard = new Promise<unknown>((resolve) => {
      store.entries.watch(resolve)
    })
    await store.entries.put([second!])
    expect(await heard).toEqual({ put: [second] })
    await store.close?.()
  })

  it('that have ended do not pile up', async () => {
    let now = SUITE_START
    const prefix = freshPrefix()
    const store = redisStore({ client: redis.client, prefix, clock: { now: () => now } })
    const ending = Array.from({ length: 100 }, (_, i) => entryOf(`203.0.113.${i}/32`, { until: 1_000 }))
    await store.entries.put(ending)
    now += 1_000
    for (const entry of denies(10)) await store.entries.put([entry])
    expect(await redisCommand(redis.port, 'HLEN', `${prefix}:1:{entries}:all`)).toBe(10)
    expect(await redisCommand(redis.port, 'ZCARD', `${prefix}:1:{entries}:ends`)).toBe(0)
  })

  it('a pardon of a wider prefix finds who has strikes, by the ladder that remembers longest', async () => {
    let now = SUITE_START
    const store = redisStore({ client: redis.client, prefix: freshPrefix(), clock: { now: () => now } })
    const [long, short] = (['30d', '1h'] as const).map((decay) =>
      limiter({ name: decay, ladder: { tiers: [{ ban: '1s', after: 9 }], decay } }),
    )
    const send = async (counter = long!, text = '203.0.113.7', commit: HitCommit = 'all'): Promise<HitReply> => {
      const hit = hitOf(counter, keyOf(text), { limit: 0, cost: 0, strike: commit === 'all' })
      const [reply] = await store.hit([hit], { now, commit })
      // All that was heard of is written then.
      await store.entries.remove([])
      return reply!
    }
    expect((await send(long)).strikes).toBe(1)
    expect((await send(short)).strikes).toBe(1)
    now += HOUR
    await send(short, '203.0.113.8')
    await store.entries.remove([], { forgive: '203.0.113.0/24' })
    expect((await send(long, '203.0.113.7', 'none')).strikes).toBe(0)
    expect((await send(short, '203.0.113.8', 'none')).strikes).toBe(0)
  })
})
