import { entryOf, hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import { createEntry, createGuard, type Entry, type Guard, parsePrefix, type Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { redisCommand, waitUntil } from '@ipguard/tools'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { oneRedis } from './one-redis.ts'
import { freshPrefix } from './suites.ts'

const HOUR = 3_600_000
const IP = '203.0.113.7'
const CIDR = `${IP}/32`

const redis = oneRedis()

describe('what a copy gives back to a store that lost it', () => {
  let now = SUITE_START
  function fresh(): Store {
    now = SUITE_START
    return redisStore({ client: redis.client, prefix: freshPrefix(), clock: { now: () => now } })
  }
  const again = { again: true } as const
  const mode = (at: number, value: 'enforce' | 'shadow'): Entry =>
    createEntry(parsePrefix('::/0'), { kind: 'mode', mode: value, createdAt: SUITE_START + at, by: 'manual' })
  const isRefused = async (store: Store): Promise<boolean> => {
    const [reply] = await store.hit([hitOf(limiter({ limit: 100, window: '1h' }), keyOf(IP))], { now, commit: 'all' })
    return reply!.ban !== undefined
  }

  it.each([
    ['mode', mode(1, 'enforce'), mode(2, 'shadow')],
    ['allow entry', entryOf(CIDR, { kind: 'allow', at: 1 }), entryOf(CIDR, { kind: 'allow', at: 2, until: HOUR })],
    ['deny entry', entryOf(CIDR, { kind: 'deny', at: 1, until: HOUR }), entryOf(CIDR, { kind: 'deny', at: 2 })],
  ])('does not replace a later %s, and is replaced by it', async (_what, earlier, later) => {
    const store = fresh()
    await store.entries.put([later])
    await store.entries.put([earlier], again)
    expect(await store.entries.find!([later.id])).toEqual([later])
    const other = fresh()
    await other.entries.put([earlier], again)
    await other.entries.put([later], again)
    expect(await other.entries.find!([later.id])).toEqual([later])
  })

  it('does not bring back what was removed since, whether it was there or not', async () => {
    const store = fresh()
    const ban = entryOf(CIDR, { at: 0, until: HOUR })
    const allow = entryOf('203.0.113.8/32', { kind: 'allow', at: 0 })
    await store.entries.put([ban])
    now += 10
    await store.entries.remove([ban.id, allow.id])
    await store.entries.put([ban, allow], again)
    expect(await store.entries.find!([ban.id, allow.id])).toEqual([])
    expect(await isRefused(store)).toBe(false)
    // One that was made later is another.
    const next = entryOf(CIDR, { at: 11, until: HOUR })
    await store.entries.put([next], again)
    expect(await store.entries.find!([ban.id])).toEqual([next])
    expect(await isRefused(store)).toBe(true)
    // And is not touched by the one before.
    await store.entries.put([entryOf(CIDR, { at: 0, until: 2 * HOUR })], again)
    expect(await store.entries.find!([ban.id])).toEqual([next])
    expect(await isRefused(store)).toBe(true)
  })

  it('is a ban that lasts longer, though one was made since', async () => {
    const store = fresh()
    const [long, short] = [entryOf(CIDR, { at: 0 }), entryOf(CIDR, { at: 5, until: HOUR })]
    await store.entries.put([short])
    await store.entries.put([long], again)
    expect(await store.entries.find!([long.id])).toEqual([long])
  })

  it('is forgotten to have been removed after a day', async () => {
    const store = fresh()
    const ids = Array.from({ length: 3 }, (_, i) => `ban 203.0.113.${i}/32`)
    await store.entries.remove(ids)
    now += 24 * HOUR
    await store.entries.remove(['ban 203.0.113.9/32'])
    await store.entries.put([entryOf('203.0.113.1/32', { at: 0, until: 48 * HOUR })], again)
    expect(await store.entries.find!(ids)).toHaveLength(1)
  })
})

describe('a process that reconnects late to a Redis that came back empty', () => {
  async function connect(): Promise<Redis> {
    const client = new Redis({ host: '127.0.0.1', port: redis.port, lazyConnect: true, enableOfflineQueue: false })
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    await client.connect()
    return client
  }
  function guardOn(client: Redis, prefix: string): Guard {
    const guard = createGuard({ store: redisStore({ client, prefix }), policies: [], deadline: '10s' })
    onTestFinished(() => guard.close())
    return guard
  }
  const actionOf = async (guard: Guard, ip: string): Promise<string> =>
    (await guard.check({ method: 'GET', url: '/', headers: new Headers() }, { peer: ip })).action

  it('undoes nothing that was done meanwhile: mode, lists and bans', async () => {
    const prefix = freshPrefix()
    const lateClient = await connect()
    const [early, late] = [guardOn(await connect(), prefix), guardOn(lateClient, prefix)]
    await early.ban(IP, { for: 'permanent' })
    await early.ban('203.0.113.8', { for: 'permanent' })
    await early.deny('203.0.113.9')
    await early.setMode('shadow')
    await early.setMode('enforce')
    await waitUntil('both know', async () => (await actionOf(late, '203.0.113.9')) === 'deny')
    const all = `${prefix}:1:{entries}:all`
    lateClient.disconnect()
    await redisCommand(redis.port, 'FLUSHALL')
    await waitUntil('the first has put all back', async () => (await redisCommand(redis.port, 'HLEN', all)) === 4)
    await early.unban(IP)
    await early.deny('203.0.113.9', { reason: 'newer' })
    await early.setMode('shadow')
    const before = await redisCommand(redis.port, 'HGETALL', all)
    await lateClient.connect()
    await waitUntil('the late one has loaded', async () => (await late.status()).mode === 'shadow')
    await waitUntil('it has all', () => late.entries().length === 2 && late.entries({ ip: IP }).length === 0)
    expect(await redisCommand(redis.port, 'HGETALL', all)).toEqual(before)
    expect(await redisCommand(redis.port, 'EXISTS', `${prefix}:1:{${IP}}`)).toBe(0)
    expect([early, late].map((guard) => guard.entries({ ip: '203.0.113.9' })[0]?.reason)).toEqual(['newer', 'newer'])
    expect((await early.status()).mode).toBe('shadow')
  })
})
