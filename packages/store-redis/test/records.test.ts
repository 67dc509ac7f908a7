import { randomUUID } from 'node:crypto'
import { SUITE_START } from '@ipguard/conformance'
import { redisStore } from '@ipguard/store-redis'
import {
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  redisCommand,
  startCluster,
  startRedis,
  startSentinel,
  waitUntil,
} from '@ipguard/tools'
import { createClient, createCluster, createSentinel } from 'redis'
import { createClient as createClient5 } from 'redis5'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freshPrefix } from './suites.ts'

const HOUR = 3_600_000

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** How often the nodes were sent a GET, by whom ever. */
async function gets(...ports: readonly number[]): Promise<number> {
  const texts = await Promise.all(ports.map(async (port) => String(await redisCommand(port, 'INFO', 'commandstats'))))
  return texts.reduce((sum, text) => sum + Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0), 0)
}

const options = (port: number) => ({ socket: { host: '127.0.0.1', port }, disableOfflineQueue: true })

async function connected<
  T extends { on(event: 'error', listener: () => void): unknown; connect(): Promise<unknown>; destroy(): unknown },
>(client: T): Promise<T> {
  client.on('error', () => {})
  onTestFinished(() => void client.destroy())
  await client.connect()
  return client
}

describe.each([
  ['node-redis 6', (port: number) => connected(createClient({ ...options(port), RESP: 3, clientSideCache: {} }))],
  ['node-redis 5', (port: number) => connected(createClient5({ ...options(port), RESP: 3, clientSideCache: {} }))],
])('records of a client with client-side caching: %s', (_name, connect) => {
  it('are read from Redis once, also when there is none', async () => {
    const store = redisStore({ client: await connect(redis.port), prefix: freshPrefix() })
    await store.set('verdict', 'clean', Date.now() + HOUR)
    const before = await gets(redis.port)
    for (let i = 0; i < 20; i++) expect(await store.get('verdict')).toBe('clean')
    for (let i = 0; i < 20; i++) expect(await store.get('nothing')).toBe(undefined)
    expect((await gets(redis.port)) - before).toBe(2)
  })

  it('are read anew when another client has changed or deleted them', async () => {
    const prefix = freshPrefix()
    const store = redisStore({ client: await connect(redis.port), prefix })
    const other = redisStore({ client: await connected(createClient(options(redis.port))), prefix })
    expect(await store.get('verdict')).toBe(undefined)
    for (const value of ['clean', 'listed']) {
      await other.set('verdict', value, Date.now() + HOUR)
      await waitUntil(`the copy says "${value}"`, async () => (await store.get('verdict')) === value, 2_000)
    }
    await other.delete('verdict')
    await waitUntil('the copy is gone', async () => (await store.get('verdict')) === undefined, 2_000)
  })

  it('are what this process has written last, at once', async () => {
    const store = redisStore({ client: await connect(redis.port), prefix: freshPrefix() })
    for (let i = 0; i < 500; i++) {
      const value = String(i)
      expect(await store.set('lease', value, Date.now() + HOUR, { ifAbsent: true })).toBe(true)
      expect(await store.get('lease')).toBe(value)
      await store.set('lease', `${value} again`, Date.now() + HOUR)
      expect(await store.get('lease')).toBe(`${value} again`)
      expect(await store.delete('lease')).toBe(true)
      expect(await store.get('lease')).toBe(undefined)
    }
  })

  it('end when they were said to, before the server tells', async () => {
    let now = SUITE_START
    const store = redisStore({ client: await connect(redis.port), prefix: freshPrefix(), clock: { now: () => now } })
    await store.set('lease', 'mine', now + 1_000)
    expect(await store.get('lease')).toBe('mine')
    now += 1_000
    expect(await store.get('lease')).toBe(undefined)
  })

  it('are not read from a copy that the connection does not keep up to date', async () => {
    const client = await connect(redis.port)
    const prefix = freshPrefix()
    const store = redisStore({ client, prefix })
    const other = redisStore({ client: await connected(createClient(options(redis.port))), prefix })
    await store.set('verdict', 'clean', Date.now() + HOUR)
    expect(await store.get('verdict')).toBe('clean')
    const id = Number(await client.sendCommand(['CLIENT', 'ID']))
    await redisCommand(redis.port, 'CLIENT', 'KILL', 'ID', id)
    await other.set('verdict', 'listed', Date.now() + HOUR)
    await waitUntil('the client is back', () => client.isReady)
    expect(await store.get('verdict')).toBe('listed')
  })
})

it('a client that makes buffers of texts, or puts a prefix before keys, reads the same records', async () => {
  const prefix = freshPrefix()
  const buffers = await connected(
    createClient({ ...options(redis.port), clientSideCache: {}, commandOptions: { typeMapping: { 36: Buffer } } }),
  )
  const prefixed = await connected(createClient({ ...options(redis.port), clientSideCache: {}, keyPrefix: 'mine:' }))
  const stores = [buffers, prefixed].map((client) => redisStore({ client, prefix }))
  for (const store of stores) {
    const value = randomUUID()
    await store.set('verdict', value, Date.now() + HOUR)
    for (const each of stores) await waitUntil('both read it', async () => (await each.get('verdict')) === value, 2_000)
  }
  const before = await gets(redis.port)
  for (let i = 0; i < 10; i++) await stores[0]!.get('verdict')
  // Of the other one's keys its cache would have its own idea: it asks each time.
  for (let i = 0; i < 10; i++) await stores[1]!.get('verdict')
  expect((await gets(redis.port)) - before).toBe(10)
})

describe('on a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster.stop())

  it('records are read once, and anew when another client has changed them', async () => {
    const rootNodes = cluster.ports.map((port) => ({ socket: { host: '127.0.0.1', port } }))
    const prefix = freshPrefix()
    const store = redisStore({
      client: await connected(createCluster({ rootNodes, RESP: 3, clientSideCache: {} })),
      prefix,
    })
    const other = redisStore({ client: await connected(createCluster({ rootNodes })), prefix })
    const names = Array.from({ length: 12 }, (_, i) => `verdict ${i}`)
    for (const name of names) await store.set(name, 'clean', Date.now() + HOUR)
    const before = await gets(...cluster.ports)
    for (let i = 0; i < 5; i++) for (const name of names) expect(await store.get(name)).toBe('clean')
    expect((await gets(...cluster.ports)) - before).toBe(names.length)
    for (const name of names) {
      await other.set(name, 'listed', Date.now() + HOUR)
      await waitUntil('the copy is new', async () => (await store.get(name)) === 'listed', 2_000)
    }
  })
})

describe('by Sentinel', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startSentinel()
  })
  afterAll(() => sentinel.stop())

  it('records are read once, and anew when another client has changed them', async () => {
    const { name, sentinelPorts, master } = sentinel
    const sentinelRootNodes = sentinelPorts.map((port) => ({ host: '127.0.0.1', port }))
    const prefix = freshPrefix()
    const client = await connected(createSentinel({ name, sentinelRootNodes, RESP: 3, clientSideCache: {} }))
    const store = redisStore({ client, prefix })
    const other = redisStore({ client: await connected(createClient(options(master.port))), prefix })
    await store.set('verdict', 'clean', Date.now() + HOUR)
    const before = await gets(master.port)
    for (let i = 0; i < 20; i++) expect(await store.get('verdict')).toBe('clean')
    expect((await gets(master.port)) - before).toBe(1)
    await other.set('verdict', 'listed', Date.now() + HOUR)
    await waitUntil('the copy is new', async () => (await store.get('verdict')) === 'listed', 2_000)
  })
})
