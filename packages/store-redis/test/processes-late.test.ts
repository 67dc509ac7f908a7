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

/** A store that sends its first command, and the others not before `open`, which answers when all of these are done. */
function slowStore(): { readonly store: Store; readonly open: () => Promise<unknown> } {
  let release: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const held: Promise<unknown>[] = []
  let first = true
  const slow = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'sendCommand') return typeof value === 'function' ? value.bind(target) : value
      return (...args: Parameters<typeof target.sendCommand>) => {
        if (first) {
          first = false
          return target.sendCommand(...args)
        }
        const sent = gate.then(() => target.sendCommand(...args))
        held.push(sent)
        return sent
      }
    },
  })
  return {
    store: redisStore({ client: slow, prefix: PREFIX }),
    async open() {
      expect(held.length).toBeGreaterThan(0)
      release()
      await Promise.all(held)
    },
  }
}

async function redisTime(): Promise<number> {
  const [seconds, micros] = (await redisCommand(redis.port, 'TIME')) as [string, string] // Redis documentation, TIME
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
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

  it('does not bring it back after it was removed', async () => {
    const { entries, hit: count } = redisStore({ client, prefix: PREFIX })
    // The client's first hit makes the script known, so that the slow one has one command to send.
    await count([hit], { now: 0, commit: 'all' })
    await entries.put([ban])
    const { store, open } = slowStore()
    expect(await store.hit([hit], { now: 0, commit: 'all' })).toMatchObject([{ admitted: false, ban: { id: ban.id } }])
    // Its announcement is on its way from the next turn on.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    await entries.remove([ban.id])
    await open()
    expect(await entriesInRedis()).toEqual([])
  })

  it('announces one that was made since', async () => {
    const { hit: count, entries } = redisStore({ client, prefix: PREFIX })
    await entries.remove([ban.id])
    const removed = await redisTime()
    await waitUntil('it is a millisecond later', async () => (await redisTime()) > removed)
    const counter = limiter({ name: 'login', ladder: [{ name: 'out', ban: '1h' }] })
    const [reply] = await count([hitOf(counter, keyOf(IP), { limit: 0, cost: 0, strike: true })], {
      now: 0,
      commit: 'all',
    })
    expect(reply?.banned?.id).toBe(ban.id)
    await waitUntil('it is announced', async () => isDeepStrictEqual(await entriesInRedis(), [ban.id]))
  })
})
