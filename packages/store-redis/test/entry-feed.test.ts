import { entryOf } from '@ipguard/conformance'
import type { Entry, EntryChange, Store } from '@ipguard/core'
import { type RedisClient, redisStore } from '@ipguard/store-redis'
import { type RedisServer, redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { singleClients } from './clients.ts'
import { freshPrefix } from './suites.ts'

/** Bound of every wait: a change is to be heard in less than a second. */
const SOON = 1_000

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

async function clientOf(port = redis.port, name = 'node-redis 6'): Promise<RedisClient> {
  const { client, close } = await singleClients[name]!(port)
  onTestFinished(async () => close())
  return client
}

async function storeOn(prefix: string, port = redis.port, subscriber?: RedisClient): Promise<Store> {
  const store = redisStore({ client: await clientOf(port), prefix, ...(subscriber && { subscriber }) })
  onTestFinished(async () => store.close?.())
  return store
}

interface Watched {
  readonly changes: EntryChange[]
  readonly heard: () => readonly string[]
  readonly again: () => readonly string[]
}

/** Listens, and answers when nothing is missed any more. */
async function watch(store: Store): Promise<Watched> {
  const changes: EntryChange[] = []
  onTestFinished(store.entries.watch((change) => changes.push(change)))
  await entriesOf(store)
  return {
    changes,
    heard: () =>
      changes.flatMap(({ put = [], removed = [] }) => [...put.map(({ id }) => id), ...removed.map((id) => `no ${id}`)]),
    again: () => changes.flatMap(({ again }) => again ?? []),
  }
}

async function entriesOf(store: Store): Promise<readonly Entry[]> {
  const pages: (readonly Entry[])[] = []
  for await (const page of store.entries.load()) pages.push(page)
  return pages.flat()
}

const deny = (n: number): Entry => entryOf(`198.18.${n >> 8}.${n & 255}/32`, { kind: 'deny' })
const denies = (count: number, from = 0): readonly Entry[] => Array.from({ length: count }, (_, i) => deny(from + i))

describe('without a subscriber', () => {
  it('every change is heard once and in order by every instance', async () => {
    const prefix = freshPrefix()
    const stores = await Promise.all(Array.from({ length: 5 }, () => storeOn(prefix)))
    const watches = await Promise.all(stores.map(watch))
    const expected: string[] = []
    for (const [i, entry] of denies(60).entries()) {
      const store = stores[i % stores.length]!
      await store.entries.put([entry])
      expected.push(entry.id)
      if (i % 3 !== 0) continue
      await store.entries.remove([entry.id])
      expected.push(`no ${entry.id}`)
    }
    for (const { heard } of watches) {
      await waitUntil('all is heard', () => heard().length >= expected.length, SOON)
      expect(heard()).toEqual(expected)
    }
  })

  it('who starts late loads what was, and hears what comes', async () => {
    const prefix = freshPrefix()
    const early = await storeOn(prefix)
    await early.entries.put(denies(3))
    const late = await storeOn(prefix)
    const { heard } = await watch(late)
    expect((await entriesOf(late)).length).toBe(3)
    await early.entries.put([deny(3)])
    await waitUntil('the new one is heard', () => heard().length > 0, SOON)
    expect(heard()).toEqual([deny(3).id])
  })

  it('what changed while the connection was away is heard when it is back', async () => {
    const prefix = freshPrefix()
    const connection = await away()
    const watcher = redisStore({ client: connection, prefix })
    const other = await storeOn(prefix)
    const { heard, again } = await watch(watcher)
    connection.disconnect()
    await other.entries.put([deny(1)])
    await other.entries.put([deny(2)])
    await other.entries.remove([deny(1).id])
    expect(heard()).toEqual([])
    await connection.connect()
    await waitUntil('it is heard', () => heard().length >= 3, SOON)
    expect([heard(), again()]).toEqual([[deny(1).id, deny(2).id, `no ${deny(1).id}`], []])
  })

  it('many changes that were missed are heard in order, without a pause between pages of the log', async () => {
    const prefix = freshPrefix()
    const connection = await away()
    const watcher = redisStore({ client: connection, prefix })
    const other = await storeOn(prefix)
    const { heard, again } = await watch(watcher)
    connection.disconnect()
    for (const entry of denies(1_500)) await other.entries.put([entry])
    await connection.connect()
    await waitUntil('all is heard', () => heard().length >= 1_500, SOON)
    expect([heard(), again()]).toEqual([denies(1_500).map(({ id }) => id), []])
  })

  it('when more has changed than the log holds, it says that there is a gap, once', async () => {
    const prefix = freshPrefix()
    const connection = await away()
    const watcher = redisStore({ client: connection, prefix })
    const other = await storeOn(prefix)
    await other.entries.put([deny(0)])
    const { heard, again } = await watch(watcher)
    connection.disconnect()
    // Not a bit more than it holds: Redis trims a stream by whole nodes of it.
    const many = denies(2_600, 1)
    for (let i = 0; i < many.length; i += 100)
      await Promise.all(many.slice(i, i + 100).map(async (entry) => other.entries.put([entry])))
    await connection.connect()
    await waitUntil('the gap is heard', () => again().length > 0, SOON)
    await other.entries.put([deny(9_999)])
    await waitUntil('the next change is heard', () => heard().includes(deny(9_999).id), SOON)
    expect([again(), heard()]).toEqual([['gap'], [deny(9_999).id]])
    expect((await entriesOf(watcher)).length).toBe(2_602)
  })
})

describe.each([
  ['node-redis 6', 'node-redis 6'],
  ['node-redis 5', 'node-redis 5'],
  ['ioredis 6', 'ioredis 6'],
  ['ioredis 5', 'ioredis 5'],
])('with a subscriber of %s', (_name, make) => {
  it('changes are heard at once', async () => {
    const prefix = freshPrefix()
    const watcher = await storeOn(prefix, redis.port, await clientOf(redis.port, make))
    const other = await storeOn(prefix)
    const { heard } = await watch(watcher)
    await waitUntil('it listens', async () => (await listeners(prefix)) === 1)
    const times: number[] = []
    for (const entry of denies(15)) {
      const begun = performance.now()
      await other.entries.put([entry])
      await waitUntil('it is heard', () => heard().includes(entry.id), SOON)
      times.push(performance.now() - begun)
    }
    // Asking would take 250 ms on average.
    expect(times.sort((x, y) => x - y)[7]).toBeLessThan(100)
  })

  it('a message that is lost with its connection is heard all the same, and later ones at once again', async () => {
    const prefix = freshPrefix()
    const watcher = await storeOn(prefix, redis.port, await clientOf(redis.port, make))
    const other = await storeOn(prefix)
    const { heard, again } = await watch(watcher)
    await waitUntil('it listens', async () => (await listeners(prefix)) === 1)
    for (let i = 0; i < 3; i++) {
      await redisCommand(redis.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
      await other.entries.put([deny(i)])
      await waitUntil('it is heard', () => heard().includes(deny(i).id), SOON)
      await waitUntil('it listens again', async () => (await listeners(prefix)) === 1)
    }
    expect([heard(), again()]).toEqual([denies(3).map(({ id }) => id), []])
  })

  it('close() ends what was begun', async () => {
    const prefix = freshPrefix()
    const watcher = await storeOn(prefix, redis.port, await clientOf(redis.port, make))
    await watch(watcher)
    await waitUntil('it listens', async () => (await listeners(prefix)) === 1)
    await watcher.close?.()
    await waitUntil('it listens no more', async () => (await listeners(prefix)) === 0)
  })
})

describe('a Redis that has lost what it held', () => {
  it('says so to every instance, when it was emptied', async () => {
    const server = await ownServer()
    const prefix = freshPrefix()
    const stores = await Promise.all(Array.from({ length: 3 }, () => storeOn(prefix, server.port)))
    await stores[0]!.entries.put(denies(5))
    const watches = await Promise.all(stores.map(watch))
    await redisCommand(server.port, 'FLUSHALL')
    for (const { again } of watches) await waitUntil('it is heard', () => again().length > 0, SOON)
    // Each puts again what it has.
    for (const store of stores) await store.entries.put(denies(5))
    for (const { heard } of watches) await waitUntil('it is heard', () => heard().length >= 5, SOON)
    expect(watches.map(({ again, heard }) => [again(), heard().length])).toEqual(watches.map(() => [['lost'], 5]))
  })

  it('says so when it was emptied and has entries again', async () => {
    const server = await ownServer()
    const prefix = freshPrefix()
    const connection = await away(server.port)
    const watcher = redisStore({ client: connection, prefix })
    const other = await storeOn(prefix, server.port)
    await other.entries.put([deny(1)])
    const { again } = await watch(watcher)
    connection.disconnect()
    await redisCommand(server.port, 'FLUSHALL')
    for (const entry of denies(4, 10)) await other.entries.put([entry])
    await connection.connect()
    await waitUntil('it is heard', () => again().length > 0, SOON)
    expect(again()).toEqual(['lost'])
  })

  it.each([
    ['as it once was', 0],
    ['as it once was, and went on to the same number of changes', 3],
    ['as it once was, and went on to more changes', 6],
  ])('says so when it was restarted from an old dump, %s', async (_name, more) => {
    const server = await ownServer()
    const prefix = freshPrefix()
    const connection = await away(server.port)
    const watcher = redisStore({ client: connection, prefix })
    const writer = await away(server.port)
    const other = redisStore({ client: writer, prefix })
    await other.entries.put([deny(0)])
    await redisCommand(server.port, 'SAVE')
    for (const entry of denies(3, 1)) await other.entries.put([entry])
    const { again, heard } = await watch(watcher)
    connection.disconnect()
    writer.disconnect()
    await server.kill()
    await server.restart()
    await writer.connect()
    for (const entry of denies(more, 100)) await other.entries.put([entry])
    await connection.connect()
    await waitUntil('it is heard', () => again().length > 0, SOON)
    await other.entries.put([deny(500)])
    await waitUntil('the next change is heard', () => heard().includes(deny(500).id), SOON)
    expect([again(), heard()]).toEqual([['lost'], [deny(500).id]])
    expect((await entriesOf(watcher)).length).toBe(2 + more)
  })

  it('has lost nothing when it was restarted with all it held', async () => {
    const server = await ownServer()
    const prefix = freshPrefix()
    const connection = await away(server.port)
    const watcher = redisStore({ client: connection, prefix })
    await watcher.entries.put(denies(3))
    const { again, heard } = await watch(watcher)
    await redisCommand(server.port, 'SAVE')
    connection.disconnect()
    await server.kill()
    await server.restart()
    await connection.connect()
    await watcher.entries.put([deny(3)])
    await waitUntil('the next change is heard', () => heard().length > 0, SOON)
    expect([again(), heard()]).toEqual([[], [deny(3).id]])
  })
})

/** A connection that can be taken away and given back. */
async function away(port = redis.port): Promise<Redis> {
  const connection = new Redis({ host: '127.0.0.1', port, lazyConnect: true, enableOfflineQueue: false })
  connection.on('error', () => {})
  onTestFinished(() => connection.disconnect())
  await connection.connect()
  return connection
}

async function ownServer(): Promise<RedisServer> {
  const server = await startRedis()
  onTestFinished(server.stop)
  return server
}

async function listeners(prefix: string): Promise<number> {
  const reply = (await redisCommand(redis.port, 'PUBSUB', 'NUMSUB', `${prefix}:1:{entries}:changes`)) as unknown[]
  return Number(reply[1])
}
