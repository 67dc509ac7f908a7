import { isDeepStrictEqual } from 'node:util'
import { hitOf, keyOf, limiter } from '@ipguard/conformance'
import { createEntry, parsePrefix, type Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { type RedisServer, redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const PREFIX = 'late'
const IP = '203.0.113.7'
const HOUR = 3_600_000

let redis: RedisServer
let client: ReturnType<typeof createClient>
beforeAll(async () => {
  redis = await startRedis()
  client = createClient({ socket: { host: '127.0.0.1', port: redis.port } })
  await client.connect()
}, 300_000)
afterAll(async () => {
  client?.destroy()
  await redis?.stop()
})

/** A store that sends so many commands, and the others not before `open`, which answers when all is announced. */
function slowStore(commands: number): {
  readonly store: Store
  readonly sent: () => number
  readonly open: () => Promise<void>
} {
  let release: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let sent = 0
  const slow = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'sendCommand') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<typeof target.sendCommand>) => {
        if (++sent > commands) await gate
        return target.sendCommand(...args)
      }
    },
  })
  const store = redisStore({ client: slow, prefix: PREFIX })
  return {
    store,
    sent: () => sent,
    async open() {
      release()
      // What is put comes after what is announced.
      await store.entries.put([])
    },
  }
}

function entriesInRedis(): Promise<unknown> {
  return redisCommand(redis.port, 'HKEYS', `${PREFIX}:1:{entries}:all`)
}

describe('a process that met a ban and announces it late', () => {
  const ban = createEntry(parsePrefix(`${IP}/32`), {
    kind: 'ban',
    by: 'manual',
    createdAt: Date.now(),
    expiresAt: Date.now() + HOUR,
  })
  const hit = hitOf(limiter({ limit: 5, window: '1h' }), keyOf(IP))

  // The hit; with it the look whether the ban stands; with both the announcement itself.
  it.each([1, 2, 3])('does not bring it back when it is removed after %i of its commands', async (commands) => {
    const { entries, hit: count } = redisStore({ client, prefix: PREFIX })
    await entries.put([ban])
    // One that is announced in time makes the scripts known.
    expect(await count([hit], { now: 0, commit: 'all' })).toMatchObject([{ ban: { id: ban.id } }])
    await entries.put([])
    expect(await entriesInRedis()).toEqual([ban.id])
    const { store, sent, open } = slowStore(commands)
    expect(await store.hit([hit], { now: 0, commit: 'all' })).toMatchObject([{ admitted: false, ban: { id: ban.id } }])
    await waitUntil('the next command is held back', async () => sent() > commands)
    await entries.remove([ban.id])
    await open()
    expect(await entriesInRedis()).toEqual([])
  })

  it('announces one that was made since', async () => {
    const { hit: count, entries } = redisStore({ client, prefix: PREFIX })
    await entries.remove([ban.id])
    const counter = limiter({ name: 'login', ladder: [{ name: 'out', ban: '1h' }] })
    const [reply] = await count([hitOf(counter, keyOf(IP), { limit: 0, cost: 0, strike: true })], {
      now: 0,
      commit: 'all',
    })
    expect(reply?.banned?.id).toBe(ban.id)
    await waitUntil('it is announced', async () => isDeepStrictEqual(await entriesInRedis(), [ban.id]))
  })
})
