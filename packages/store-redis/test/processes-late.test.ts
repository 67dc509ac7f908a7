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

const ALL = { now: 0, commit: 'all' } as const

/** A strike that bans at once. */
const login = limiter({ name: 'login', ladder: [{ name: 'out', ban: '1h' }] })
const strikeOf = (ip: string) => hitOf(login, keyOf(ip), { limit: 0, cost: 0, strike: true })

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
    const [reply] = await count([strikeOf(IP)], ALL)
    expect(reply?.banned?.id).toBe(ban.id)
    await waitUntil('it is announced', async () => isDeepStrictEqual(await entriesInRedis(), [ban.id]))
  })
})

describe('a ban that its process never announced', () => {
  // Its process has ended after the hit; or after it had announced the strike, which it does after the ban.
  it.each([
    ['203.0.113.20', '203.0.113.20/32', 1],
    ['2001:db8:20::', '2001:db8:20::/64', 1],
    ['203.0.113.21', '203.0.113.0/24', 1],
  ])('is lifted by an unban: %s by %s', async (ip, cidr, commands) => {
    const text = cidr.endsWith('/64') ? cidr : ip
    const { store, sent } = slowStore(commands)
    expect(await store.hit([strikeOf(text)], ALL)).toMatchObject([{ banned: { by: 'login' } }])
    await waitUntil('the announcement is held back', async () => sent() > commands)
    if (cidr.endsWith('/24'))
      await client.zAdd(`${PREFIX}:1:{entries}:struck`, { score: Date.now() + HOUR, value: text })
    const other = redisStore({ client, prefix: PREFIX })
    const look = hitOf(login, keyOf(text))
    await other.entries.remove([], { forgive: cidr })
    expect(await other.hit([look], ALL)).toMatchObject([{ admitted: true }])
    expect(await entriesInRedis()).not.toContain(`ban ${text.includes('/') ? text : `${text}/32`}`)
  })

  it('is listed by close()', async () => {
    const store = redisStore({ client, prefix: PREFIX })
    await store.hit([strikeOf('203.0.113.22')], ALL)
    await store.close?.()
    expect(await entriesInRedis()).toContain('ban 203.0.113.22/32')
  })

  it('does not keep close() for ever when Redis does not answer', async () => {
    const { store, open } = slowStore(1)
    await store.hit([strikeOf('203.0.113.23')], ALL)
    await store.close?.()
    expect(await entriesInRedis()).not.toContain('ban 203.0.113.23/32')
    await open()
    expect(await entriesInRedis()).toContain('ban 203.0.113.23/32')
  })
})
