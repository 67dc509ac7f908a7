import { type RedisServer, redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientName, Opening } from './processes.child.ts'
import { type Fleet, startFleet } from './processes-fleet.ts'

const PROCESSES = 8
const CHECKS = 1_000
const LIMIT = 100
const DAY = 86_400_000
const IP = '203.0.113.7'
const CLIENTS: readonly ClientName[] = ['node-redis', 'ioredis']

/** The first run may have to fetch Redis. */
const FETCH = 300_000

let redis: RedisServer
let fleet: Fleet
beforeAll(async () => {
  redis = await startRedis()
  fleet = await startFleet(PROCESSES, redis.port)
}, FETCH)
afterAll(async () => {
  await fleet?.kill()
  await redis?.stop()
})

async function redisTime(): Promise<number> {
  const [seconds, micros] = (await redisCommand(redis.port, 'TIME')) as [string, string]
  return Number(seconds) * 1000 + Number(micros) / 1000
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

interface Run {
  readonly admitted: number
  readonly admittedDegraded: number
  readonly degraded: number
  /** By the clock of Redis, in ms. */
  readonly from: number
  readonly to: number
}

let runs = 0

/** Every process asks as often at the same time; answers what came of it in all. */
async function flood(opening: Omit<Opening, 'prefix'>): Promise<Run & { readonly name: string }> {
  const name = `run${++runs}`
  await fleet.all('open', name, { ...opening, prefix: name })
  return { name, ...(await again(name)) }
}

async function again(name: string): Promise<Run> {
  const from = await redisTime()
  const floods = await fleet.all('flood', name, IP, CHECKS)
  const to = await redisTime()
  return {
    from,
    to,
    admitted: sum(floods.map(({ admitted }) => admitted)),
    admittedDegraded: sum(floods.map(({ admittedDegraded }) => admittedDegraded)),
    degraded: sum(floods.map(({ degraded }) => degraded)),
  }
}

/** One process has brought it about, Redis has one, and every copy has it. */
async function expectOneBan(name: string): Promise<void> {
  await fleet.all('sees', name, IP, 'deny')
  expect(await fleet.all('bans', name)).toEqual(Array.from({ length: PROCESSES }, () => [`${IP}/32`]))
  expect(sum(await fleet.all('banEvents', name))).toBe(1)
  expect(await bansOf(name)).toEqual([`ban ${IP}/32`])
}

/** Ids of the entries in Redis. */
async function bansOf(prefix: string): Promise<readonly unknown[]> {
  return (await redisCommand(redis.port, 'HKEYS', `${prefix}:1:{entries}:all`)) as readonly unknown[] // an array, by its documentation
}

describe.each(CLIENTS)(`${PROCESSES} processes with %s, ${CHECKS} checks each at once`, (client) => {
  const limit = { limit: LIMIT, window: '24h', onError: 'deny', ladder: [{ name: 'out', ban: '1h' }] } as const
  const options = { deadline: '10s' } as const

  it('sliding-window: exactly the limit is admitted, and there is one ban', async () => {
    const run = await flood({ client, limits: [limit], options })
    expect(run).toMatchObject({ admitted: LIMIT, degraded: 0 })
    await expectOneBan(run.name)
  })

  it('fixed-window: exactly the limit is admitted, and there is one ban', async () => {
    const run = await flood({ client, limits: [{ ...limit, algorithm: 'fixed-window' }], options })
    // A run over midnight UTC sees two windows.
    const windows = 1 + Math.floor(run.to / DAY) - Math.floor(run.from / DAY)
    expect(run.degraded).toBe(0)
    expect(run.admitted).toBeGreaterThanOrEqual(LIMIT)
    expect(run.admitted).toBeLessThanOrEqual(LIMIT * windows)
    await expectOneBan(run.name)
  })

  it('token-bucket: at most the burst and what has leaked meanwhile is admitted, and there is one ban', async () => {
    const run = await flood({ client, limits: [{ ...limit, algorithm: 'token-bucket' }], options })
    expect(run.degraded).toBe(0)
    expect(run.admitted).toBeGreaterThanOrEqual(LIMIT)
    expect(run.admitted).toBeLessThanOrEqual(LIMIT + ((run.to - run.from) / DAY) * LIMIT)
    await expectOneBan(run.name)
  })

  it.each(['sliding-window', 'fixed-window'] as const)(
    '%s with leases: never over the limit, and short of it by the leases at most',
    async (algorithm) => {
      const lease = 10
      const run = await flood({ client, limits: [{ ...limit, algorithm, lease }], options })
      const windows = algorithm === 'fixed-window' ? 1 + Math.floor(run.to / DAY) - Math.floor(run.from / DAY) : 1
      expect(run.degraded).toBe(0)
      expect(run.admitted).toBeLessThanOrEqual(LIMIT * windows)
      expect(run.admitted).toBeGreaterThanOrEqual(LIMIT - PROCESSES * lease)
      await expectOneBan(run.name)
    },
  )
})

describe.each(CLIENTS)(`${PROCESSES} processes with %s and default settings`, (client) => {
  const limit = { limit: LIMIT, window: '24h' } as const
  const options = { instances: PROCESSES } as const
  /** Of each process while Redis is away. */
  const share = Math.floor(LIMIT / PROCESSES)

  it('admit no more than the limit and what each may count by itself, and say so', async () => {
    const run = await flood({ client, limits: [{ ...limit, ladder: [{ name: 'out', ban: '1h' }] }], options })
    expect(run.admitted - run.admittedDegraded).toBeLessThanOrEqual(LIMIT)
    expect(run.admittedDegraded).toBeLessThanOrEqual(PROCESSES * share)
    await fleet.all('sees', run.name, IP, 'deny')
    await waitUntil('the ban is in Redis', async () => (await bansOf(run.name)).length > 0)
    expect(await bansOf(run.name)).toEqual([`ban ${IP}/32`])
  })

  it('count their share alone while Redis is frozen, and together when it is back', async () => {
    const name = `run${++runs}`
    await fleet.all('open', name, { client, limits: [limit], options, prefix: name })
    redis.freeze()
    const frozen = await fleet.all('flood', name, IP, CHECKS)
    redis.thaw()
    for (const each of frozen) expect(each).toEqual({ admitted: share, admittedDegraded: share, degraded: CHECKS })
    await waitUntil('every process asks Redis again', async () =>
      (await fleet.all('recoveries', name)).every((recoveries) => recoveries > 0),
    )
    const run = await again(name)
    expect(run.admitted - run.admittedDegraded).toBeLessThanOrEqual(LIMIT)
    expect(PROCESSES * share + run.admitted).toBeLessThanOrEqual(LIMIT + PROCESSES * share)
  })
})
