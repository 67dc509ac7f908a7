import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { hitOf, keyOf, limiter } from '@ipguard/conformance'
import type { Finding } from '@ipguard/core'
import { type RedisClient, redisStore } from '@ipguard/store-redis'
import { redisCommand, startRedis } from '@ipguard/tools'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

const HOUR = 3_600_000
const GOOD = { disableOfflineQueue: true } as const
/** What a server says of itself that nothing is wrong with. */
const KEEPING = ['--appendonly', 'yes']

let redis: Awaited<ReturnType<typeof startRedis>>
const ends: (() => unknown)[] = []

beforeAll(async () => {
  redis = await startRedis({ args: KEEPING })
})
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})
afterAll(async () => redis.stop())

async function nodeRedis(options: object = GOOD, port = redis.port): Promise<RedisClient> {
  const client = createClient({ socket: { host: '127.0.0.1', port }, ...options })
  await client.on('error', () => {}).connect()
  ends.push(() => client.destroy())
  return client
}

async function ioRedis(options: object): Promise<RedisClient> {
  const client = new Redis({ host: '127.0.0.1', port: redis.port, ...options })
  await once(client, 'ready')
  ends.push(() => client.disconnect())
  return client
}

async function server(...args: string[]): Promise<number> {
  const { port, stop } = await startRedis({ args })
  ends.push(stop)
  return port
}

async function findingsOf(client: RedisClient, prefix?: string): Promise<readonly Finding[]> {
  return (await redisStore({ client, ...(prefix && { prefix }) }).inspect?.()) ?? []
}

/** The message that a page shows, cut where it says `...`. */
function shown(code: string): readonly string[] {
  const page = readFileSync(new URL(`../../../docs/errors/${code}.md`, import.meta.url), 'utf8')
  const [, block = ''] = /^```text\n([\s\S]*?)^```$/m.exec(page) ?? []
  return block.trim().split('...')
}

function expectShown(code: string, message: string): void {
  const parts = shown(code)
  expect(parts.join('').length).toBeGreaterThan(40)
  let rest = message
  for (const part of parts) {
    expect(rest).toContain(part)
    rest = rest.slice(rest.indexOf(part) + part.length)
  }
  if (parts.at(-1) !== '') expect(rest).toBe('')
}

/** What brings each finding about, and nothing else. */
const FINDINGS: Readonly<Record<string, () => Promise<readonly Finding[]>>> = {
  IPGUARD_REDIS_OFFLINE_QUEUE: async () => findingsOf(await nodeRedis({})),
  IPGUARD_REDIS_RESENDS: async () => findingsOf(await ioRedis({ enableOfflineQueue: false })),
  IPGUARD_REDIS_EVICTS: async () => {
    const port = await server(...KEEPING, '--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru')
    return findingsOf(await nodeRedis(GOOD, port))
  },
  IPGUARD_REDIS_NOT_PERSISTENT: async () => findingsOf(await nodeRedis(GOOD, await server())),
  IPGUARD_REDIS_READ_ONLY: async () => {
    const replica = await server(...KEEPING, '--replicaof', '127.0.0.1', String(redis.port))
    return findingsOf(await nodeRedis(GOOD, replica))
  },
  IPGUARD_REDIS_SETTINGS_DIFFER: async () => {
    const client = await nodeRedis()
    // The client's own numbers are not in the counter's name, so the two count together.
    const [first, second] = [60, 90].map((limit) => {
      const store = redisStore({ client })
      void store.hit([hitOf(limiter({ name: 'pages', limit, window: '60s' }), keyOf('192.0.2.1'))], {
        now: 0,
        commit: 'all',
      })
      return store
    })
    expect(await first?.inspect?.()).toEqual([])
    return (await second?.inspect?.()) ?? []
  },
  IPGUARD_REDIS_CLOCK: async () => {
    const client = await nodeRedis()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - HOUR })
    try {
      return await findingsOf(client)
    } finally {
      vi.useRealTimers()
    }
  },
}

describe('inspect', () => {
  it.each([
    ['node-redis', async () => nodeRedis()],
    ['ioredis', async () => ioRedis({ enableOfflineQueue: false, autoResendUnfulfilledCommands: false })],
  ])('finds nothing with %s and the settings that the README recommends', async (_name, make) => {
    expect(await findingsOf(await make(), 'well')).toEqual([])
  })

  it.each(Object.entries(FINDINGS))('finds %s, in the words of its page', async (code, bring) => {
    const found = await bring()
    expect(found.map((finding) => finding.code)).toEqual([code])
    expectShown(code, found[0]?.message ?? '')
  })

  it('finds nothing wrong with a maxmemory that evicts nothing', async () => {
    const port = await server(...KEEPING, '--maxmemory', '64mb', '--maxmemory-policy', 'noeviction')
    expect(await findingsOf(await nodeRedis(GOOD, port))).toEqual([])
  })

  it('finds nothing wrong with snapshots instead of an append-only file', async () => {
    expect(await findingsOf(await nodeRedis(GOOD, await server('--save', '60 1')))).toEqual([])
  })

  it('tells a changed limit once: the next guard with it is compared with it', async () => {
    const client = await nodeRedis()
    const storeOf = (limit: number): ReturnType<typeof redisStore> => {
      const store = redisStore({ client, prefix: 'rollout' })
      void store.hit([hitOf(limiter({ name: 'pages', limit, window: '60s' }), keyOf('192.0.2.1'))], {
        now: 0,
        commit: 'all',
      })
      return store
    }
    const codes: (readonly string[])[] = []
    for (const limit of [60, 90, 90]) codes.push(((await storeOf(limit).inspect?.()) ?? []).map(({ code }) => code))
    expect(codes).toEqual([[], ['IPGUARD_REDIS_SETTINGS_DIFFER'], []])
    expect(await redisCommand(redis.port, 'EXISTS', 'rollout:1:{entries}:settings')).toBe(1)
  })
})

describe('a client that cannot work', () => {
  it('is refused at creation, in the words of the page', () => {
    const make = (): unknown => redisStore({ client: 'redis://127.0.0.1:6379' as never })
    expect(make).toThrow(expect.objectContaining({ code: 'IPGUARD_REDIS_CLIENT_INVALID' }))
    expect(make).toThrow(shown('IPGUARD_REDIS_CLIENT_INVALID')[0])
  })

  it('that is not connected rejects at once, in the words of the page', async () => {
    const store = redisStore({ client: createClient({ socket: { port: redis.port }, ...GOOD }) })
    await expect(store.get('x')).rejects.toMatchObject({
      code: 'IPGUARD_REDIS_NOT_READY',
      message: shown('IPGUARD_REDIS_NOT_READY')[0],
    })
  })
})
