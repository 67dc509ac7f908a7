import { hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import { type Counter, createEntry, type Hit, parsePrefix, type Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'

const LADDER = [{ ban: '24h' }, { ban: '30d', after: 3 }] as const
const MINUTE = limiter({ limit: 60, window: '60s', ladder: LADDER })
const HOUR = limiter({ limit: 1_000, window: '1h', ladder: LADDER })
const DAY = limiter({ limit: 5_000, window: '24h', ladder: LADDER })
const THREE = [MINUTE, HOUR, DAY]
const SECOND = 1_000

let redis: Awaited<ReturnType<typeof startRedis>>
let client: ReturnType<typeof createClient>
let store: Store
let now: number

beforeAll(async () => {
  redis = await startRedis()
  client = createClient({ url: redis.url, disableOfflineQueue: true })
  await client.connect()
})

afterAll(async () => {
  client.destroy()
  await redis.stop()
})

/** A row of the README's table: what is put, and what it costs at most. */
interface Row {
  readonly what: string
  readonly count: number
  readonly key: (n: number) => string
  /** Hits of a check of each client, ms apart from the one before. */
  readonly counters?: readonly Counter[]
  readonly fields?: Partial<Hit>
  readonly gaps?: readonly number[]
  /** Keys that must be there in the end, by the command that counts them. */
  readonly settled?: readonly [command: string, key: string]
  readonly most: number
}

const ipv4 = (n: number): string => `${(n >> 16) + 50}.${(n >> 8) & 255}.${n & 255}.7`
const ipv6 = (n: number): string => `2001:db8:${(n >> 12) + 16}:${((n & 0xfff) + 4096).toString(16)}::/64`
const parts = (window: number): readonly number[] => Array<number>(11).fill(window / 10)

const ROWS: readonly Row[] = [
  { what: 'a client met once, one limit', count: 100_000, key: ipv4, counters: [MINUTE], most: 190 },
  { what: 'the same, IPv6', count: 100_000, key: ipv6, counters: [MINUTE], most: 210 },
  {
    what: 'one limit, requests in all parts of its window',
    count: 20_000,
    key: ipv4,
    counters: [MINUTE],
    gaps: parts(60 * SECOND),
    most: 230,
  },
  { what: 'a client met once, three limits and a ladder', count: 100_000, key: ipv4, counters: THREE, most: 225 },
  {
    what: 'three limits, requests in all parts of all windows',
    count: 5_000,
    key: ipv4,
    counters: THREE,
    gaps: [...parts(86_400 * SECOND), ...parts(3_600 * SECOND), ...parts(60 * SECOND)],
    most: 380,
  },
  {
    what: 'a client met once and struck once',
    count: 100_000,
    key: ipv4,
    counters: [limiter({ ladder: [{ ban: '24h', after: 9 }] })],
    fields: { strike: true, cost: 0 },
    settled: ['ZCARD', 'struck'],
    most: 310,
  },
  {
    what: 'a client banned by a ladder',
    count: 100_000,
    key: ipv4,
    counters: [limiter({ ladder: [{ ban: '24h' }] })],
    fields: { strike: true, cost: 0 },
    settled: ['HLEN', 'all'],
    most: 1_000,
  },
]

function fresh(): void {
  now = SUITE_START
  store = redisStore({ client, clock: { now: () => now } })
}

async function usedMemory(): Promise<number> {
  const [, used] = /used_memory:(\d+)/.exec(String(await redisCommand(redis.port, 'INFO', 'memory'))) ?? []
  return Number(used)
}

/** In chunks, as many as may wait to be announced. */
async function inChunks(
  count: number,
  each: (n: number) => unknown,
  settled?: (done: number) => Promise<void>,
): Promise<void> {
  for (let n = 0; n < count; n += 2_000) {
    const size = Math.min(2_000, count - n)
    await Promise.all(Array.from({ length: size }, (_, i) => each(n + i)))
    await settled?.(n + size)
  }
}

/** Waits until the registry has so many. */
async function untilRegistered(settled: Row['settled'], count: number): Promise<void> {
  const [command = '', part] = settled ?? []
  const held = (): Promise<unknown> => redisCommand(redis.port, command, `ipguard:1:{entries}:${part}`)
  if (settled) await waitUntil('all are in the registry', async () => (await held()) === count)
}

/** How many bytes the whole server grows by for each of `count`. */
async function measure(count: number, put: () => Promise<void>): Promise<number> {
  fresh()
  // The server keeps the script from then on.
  await store.hit([hitOf(MINUTE, keyOf('192.0.2.1'))], { now, commit: 'all' })
  await redisCommand(redis.port, 'FLUSHALL')
  const before = await usedMemory()
  await put()
  return ((await usedMemory()) - before) / count
}

it.each(ROWS)('$what costs at most $most bytes', async (row) => {
  const { what, count, key, counters = [], fields = {}, gaps = [], settled, most } = row
  const bytes = await measure(count, async () => {
    for (const gap of [0, ...gaps]) {
      now += gap
      await inChunks(
        count,
        async (n) =>
          store.hit(
            counters.map((counter) => hitOf(counter, keyOf(key(n)), fields)),
            { now, commit: 'all' },
          ),
        (done) => untilRegistered(settled, done),
      )
    }
  })
  const own = await redisCommand(redis.port, 'MEMORY', 'USAGE', `ipguard:1:{${key(count - 1)}}`)
  console.log(`| ${what} | ${Math.round(bytes)} | ${String(own)} |`)
  expect(bytes).toBeLessThan(most)
})

it('an entry put by hand costs at most 400 bytes', async () => {
  const count = 100_000
  const bytes = await measure(count, async () => {
    const entries = Array.from({ length: count }, (_, n) =>
      createEntry(parsePrefix(`${ipv4(n)}/32`), { kind: 'deny', createdAt: now, by: 'manual', reason: 'from a list' }),
    )
    for (let n = 0; n < count; n += 500) await store.entries.put(entries.slice(n, n + 500))
  })
  console.log(`| an entry put by hand | ${Math.round(bytes)} | |`)
  expect(bytes).toBeLessThan(400)
})
