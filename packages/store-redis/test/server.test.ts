import { entryOf, hitOf, keyOf, limiter } from '@ipguard/conformance'
import type { Entry, HitReply, Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { type RedisServer, redisCommand, startRedis } from '@ipguard/tools'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { singleClients } from './clients.ts'
import { freshPrefix } from './suites.ts'

// Without a clock of its own: the store as applications have it.

const HOUR = 3_600_000
const client = keyOf('203.0.113.7')

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const command = (...args: readonly (string | number)[]): Promise<unknown> => redisCommand(redis.port, ...args)

/** A store on a client of its own. */
async function storeOn(prefix: string, name = 'node-redis 6'): Promise<Store> {
  const made = await singleClients[name]!(redis.port)
  onTestFinished(async () => made.close())
  return redisStore({ client: made.client, prefix })
}

async function calls(name: string): Promise<number> {
  const stats = String(await command('INFO', 'commandstats'))
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

async function one(store: Store, hit: Parameters<Store['hit']>[0][number], now = Date.now()): Promise<HitReply> {
  const [reply] = await store.hit([hit], { now, commit: 'all' })
  return reply!
}

describe('the key of a client', () => {
  it.each(['sliding-window', 'fixed-window', 'token-bucket'] as const)(
    'has its expiry from the first hit on, and no later than it can count: %s',
    async (algorithm) => {
      const prefix = freshPrefix()
      const store = await storeOn(prefix)
      const window = 10_000
      await one(store, hitOf(limiter({ limit: 5, window, algorithm }), client))
      const left = Number(await command('PTTL', `${prefix}:1:{203.0.113.7}`))
      expect(left).toBeGreaterThan(0)
      expect(left).toBeLessThanOrEqual(2.1 * window)
    },
  )

  it('is kept for as long as its strikes count, and its ban stands', async () => {
    const prefix = freshPrefix()
    const store = await storeOn(prefix)
    const ladder = { tiers: [{ ban: '2h', after: 2 }], decay: '3h' } as const
    const login = limiter({ name: 'login', ladder })
    const strike = hitOf(login, client, { limit: 0, cost: 0, strike: true })
    await one(store, strike)
    const struck = Number(await command('PTTL', `${prefix}:1:{203.0.113.7}`))
    expect(struck).toBeGreaterThan(3 * HOUR - 60_000)
    expect(struck).toBeLessThanOrEqual(3 * HOUR)
    await store.entries.put([{ ...entryOf('203.0.113.7/32', {}), expiresAt: Date.now() + 5 * HOUR }])
    const banned = Number(await command('PTTL', `${prefix}:1:{203.0.113.7}`))
    expect(banned).toBeGreaterThan(5 * HOUR - 60_000)
    expect(banned).toBeLessThanOrEqual(5 * HOUR + 1_000)
  })
})

describe('time', () => {
  it("is the server's, whatever a guard says that it is", async () => {
    const store = await storeOn(freshPrefix())
    const hit = hitOf(limiter({ limit: 3, window: '1h' }), client)
    const seen: unknown[] = []
    for (const off of [0, HOUR, -HOUR, 24 * HOUR, 0]) {
      const { admitted, remaining } = await one(store, hit, Date.now() + off)
      seen.push([admitted, remaining])
    }
    expect(seen).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ])
  })

  it('is told to the millisecond', async () => {
    const store = await storeOn(freshPrefix())
    const hit = hitOf(limiter({ limit: 100, window: HOUR, algorithm: 'fixed-window' }), client)
    for (let i = 0; i < 20; i++) {
      const before = await serverTime()
      const { resetIn } = await one(store, hit)
      const after = await serverTime()
      const edge = (Math.floor(before / HOUR) + 1) * HOUR
      // The window ended meanwhile.
      if (after >= edge) continue
      expect(resetIn).toBeLessThanOrEqual(edge - before)
      expect(resetIn).toBeGreaterThanOrEqual(edge - after)
    }
  })
})

async function serverTime(): Promise<number> {
  const [seconds, micros] = (await command('TIME')) as [string, string]
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}

describe('scripts', () => {
  it('are loaded again once when the server has forgotten them, and the hit counts once', async () => {
    const store = await storeOn(freshPrefix())
    const hit = hitOf(limiter({ limit: 10, window: '1h' }), client)
    await one(store, hit)
    for (const left of [8, 6]) {
      await command('SCRIPT', 'FLUSH')
      const before = await calls('eval')
      expect((await one(store, hit)).remaining).toBe(left)
      expect((await one(store, hit)).remaining).toBe(left - 1)
      expect((await calls('eval')) - before).toBe(1)
    }
  })

  it.each(Object.keys(singleClients))(
    'are one call for a check alone, and for 200 of one turn no more than full ones: %s',
    async (name) => {
      const store = await storeOn(freshPrefix(), name)
      const counter = limiter({ limit: 1_000, window: '1h' })
      const keys = Array.from({ length: 20 }, (_, i) => keyOf(`203.0.113.${i}`))
      await one(store, hitOf(counter, client))
      const before = await calls('evalsha')
      await one(store, hitOf(counter, client))
      expect((await calls('evalsha')) - before).toBe(1)
      const replies = await Promise.all(
        Array.from({ length: 200 }, (_, i) => one(store, hitOf(counter, keys[i % 20]!))),
      )
      expect((await calls('evalsha')) - before - 1).toBeLessThanOrEqual(Math.ceil(200 / 64))
      // In the order in which they were asked for.
      expect(replies.map(({ remaining }) => remaining)).toEqual(
        Array.from({ length: 200 }, (_, i) => 1_000 - Math.floor(i / 20) - (i % 20 === 7 ? 3 : 1)),
      )
    },
  )
})

describe('what is wrong is told', () => {
  it('the error of the server rejects, and a later call works', async () => {
    const prefix = freshPrefix()
    const store = await storeOn(prefix)
    await command('RPUSH', `${prefix}:1:record:7:verdict`, 'of somebody else')
    await expect(store.get('verdict')).rejects.toThrow('WRONGTYPE')
    await command('SET', `${prefix}:1:{entries}:all`, 'of somebody else')
    await expect(store.entries.put([entryOf('203.0.113.0/24', {})])).rejects.toThrow('WRONGTYPE')
    await expect(entriesOf(store)).rejects.toThrow('WRONGTYPE')
    await command('DEL', `${prefix}:1:record:7:verdict`, `${prefix}:1:{entries}:all`)
    expect(await store.get('verdict')).toBe(undefined)
    expect(await entriesOf(store)).toEqual([])
  })

  it('a hit that the server has no memory for rejects', async () => {
    const store = await storeOn(freshPrefix())
    const hit = hitOf(limiter({ limit: 10, window: '1h' }), client)
    await command('CONFIG', 'SET', 'maxmemory', '1')
    try {
      await expect(one(store, hit)).rejects.toThrow('OOM')
    } finally {
      await command('CONFIG', 'SET', 'maxmemory', '0')
    }
    expect((await one(store, hit)).remaining).toBe(9)
  })

  it.each([
    ['node-redis', () => createClient({ socket: { host: '127.0.0.1', port: redis.port } })],
    ['ioredis', () => ended(new Redis({ host: '127.0.0.1', port: redis.port, lazyConnect: true }))],
  ])('of a client that is not connected, every call rejects at once: %s', async (_name, make) => {
    const store = redisStore({ client: make(), prefix: freshPrefix() })
    const refused = { code: 'IPGUARD_REDIS_NOT_READY' }
    const ban = entryOf('203.0.113.7/32', {})
    await expect(
      store.hit([hitOf(limiter({ limit: 1, window: '1h' }), client)], { now: 0, commit: 'all' }),
    ).rejects.toMatchObject(refused)
    await expect(store.get('verdict')).rejects.toMatchObject(refused)
    await expect(store.set('verdict', 'clean', Date.now() + HOUR)).rejects.toMatchObject(refused)
    await expect(store.set('verdict', 'clean', Date.now() + HOUR, { ifAbsent: true })).rejects.toMatchObject(refused)
    await expect(store.delete('verdict')).rejects.toMatchObject(refused)
    await expect(store.entries.put([ban])).rejects.toMatchObject(refused)
    await expect(store.entries.remove([ban.id])).rejects.toMatchObject(refused)
    await expect(store.entries.find!([ban.id])).rejects.toMatchObject(refused)
    await expect(entriesOf(store)).rejects.toMatchObject(refused)
    await expect(store.inspect!()).rejects.toMatchObject(refused)
  })

  it('a client of ioredis that connects at the first command is asked', async () => {
    const lazy = new Redis({ host: '127.0.0.1', port: redis.port, lazyConnect: true })
    onTestFinished(() => lazy.disconnect())
    expect(await redisStore({ client: lazy, prefix: freshPrefix() }).get('verdict')).toBe(undefined)
  })
})

it('nothing of another prefix is seen, and keys are what they are documented to be', async () => {
  const [prefix, other] = [freshPrefix(), freshPrefix()]
  const store = await storeOn(prefix, 'ioredis 6')
  const counter = limiter({ limit: 1, window: '1h', ladder: [{ ban: '1h' }] })
  for (let i = 0; i < 2; i++) await one(store, hitOf(counter, client))
  await store.set('verdict', 'listed', Date.now() + HOUR)
  await entriesOf(store)
  expect((await one(await storeOn(other), hitOf(counter, client))).admitted).toBe(true)
  const keys = (await command('KEYS', `${prefix}:*`)) as string[]
  expect(keys.sort()).toEqual(
    [
      'record:7:verdict',
      '{203.0.113.7}',
      '{entries}:all',
      '{entries}:ends',
      '{entries}:log',
      '{entries}:meta',
      '{entries}:struck',
    ].map((name) => `${prefix}:1:${name}`),
  )
})

async function entriesOf(store: Store): Promise<readonly Entry[]> {
  const pages: (readonly Entry[])[] = []
  for await (const page of store.entries.load()) pages.push(page)
  return pages.flat()
}

function ended(connection: Redis): Redis {
  connection.disconnect()
  return connection
}
