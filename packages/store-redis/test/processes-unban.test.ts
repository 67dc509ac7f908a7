import { isDeepStrictEqual } from 'node:util'
import { type RedisServer, redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientName } from './processes.child.ts'
import { type Fleet, startFleet } from './processes-fleet.ts'

const PROCESSES = 8
const TIMES = 200
/** Clients that are banned and unbanned at the same time, each again and again: one by one the polls would take minutes. */
const LANES = 10
const SECOND = 1_000
const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']
const FETCH = 300_000

let redis: RedisServer
/** The last one manages, the others watch. */
let fleet: Fleet
beforeAll(async () => {
  redis = await startRedis({ args: AOF })
  fleet = await startFleet(PROCESSES + 1, redis.port)
}, FETCH)
afterAll(async () => {
  await fleet?.kill()
  await redis?.stop()
})

const NAME = 'guard'
const limits = [{ limit: 1_000_000, window: '1h' }] as const

/** When each of the others decided so. */
function seen(ip: string, action: 'allow' | 'deny'): Promise<number[]> {
  return Promise.all(fleet.members.slice(0, PROCESSES).map((member) => member.call('sees', NAME, ip, action)))
}

const manager = () => fleet.members[PROCESSES]!

/** Bans, waits until all others deny, unbans: the ms until the last one allows. */
async function round(ip: string): Promise<number> {
  await manager().call('ban', NAME, ip, '1h')
  await seen(ip, 'deny')
  const [begun, times] = await Promise.all([manager().call('unban', NAME, ip), seen(ip, 'allow')])
  return Math.max(...times) - begun
}

async function manyRounds(): Promise<readonly number[]> {
  const times: number[] = []
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      for (let i = 0; i < TIMES / LANES; i++) times.push(await round(`203.0.113.${lane}`))
    }),
  )
  return times.sort((x, y) => x - y)
}

function report(what: string, sorted: readonly number[]): number {
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1]!
  console.log(`${what}: p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, most ${at(1).toFixed(0)} ms`)
  return at(0.99)
}

const CASES: readonly (readonly [ClientName, boolean])[] = [
  ['node-redis', false],
  ['node-redis', true],
  ['ioredis', false],
  ['ioredis', true],
]

describe.each(CASES)('with %s, subscriber: %s', (client, subscriber) => {
  const prefix = `${client}.${subscriber}`
  const channel = `${prefix}:1:{entries}:changes`
  const name = `${client}${subscriber ? ' and a subscriber' : ''}`
  beforeAll(() => fleet.all('open', NAME, { client, subscriber, prefix, limits }))
  afterAll(() => fleet.all('close', NAME))

  it(`an unban is seen by ${PROCESSES} other processes in less than a second`, async () => {
    const times = await manyRounds()
    expect(times).toHaveLength(TIMES)
    expect(report(name, times)).toBeLessThan(SECOND)
  })

  it('an unban just before Redis restarts is seen less than a second after the connection is back', async () => {
    const ip = '198.51.100.1'
    await manager().call('ban', NAME, ip, '1h')
    await seen(ip, 'deny')
    const begun = await manager().call('unban', NAME, ip)
    await redis.kill()
    await redis.restart()
    const [times, ready] = await Promise.all([seen(ip, 'allow'), fleet.all('ready', client, begun)])
    const late = times.map((time, i) => time - Math.max(begun, ready[i]!))
    report(
      `${name}, before a restart`,
      late.toSorted((x, y) => x - y),
    )
    expect(Math.max(...late)).toBeLessThan(SECOND)
  })

  it('an unban just after Redis restarted is seen less than a second after it', async () => {
    const ip = '198.51.100.2'
    await manager().call('ban', NAME, ip, '1h')
    await seen(ip, 'deny')
    const before = await manager().call('now')
    await redis.kill()
    await redis.restart()
    await manager().call('ready', client, before)
    const [begun, times, ready] = await Promise.all([
      manager().call('unban', NAME, ip),
      seen(ip, 'allow'),
      fleet.all('ready', client, before),
    ])
    const late = times.map((time, i) => time - Math.max(begun, ready[i]!))
    report(
      `${name}, after a restart`,
      late.toSorted((x, y) => x - y),
    )
    expect(Math.max(...late)).toBeLessThan(SECOND)
  })

  if (subscriber) {
    it('an unban is seen in less than a second though the subscribers were just cut off', async () => {
      const ip = '198.51.100.3'
      await manager().call('ban', NAME, ip, '1h')
      await seen(ip, 'deny')
      // After the restart before.
      await waitUntil('every subscriber is back', async () =>
        isDeepStrictEqual(await redisCommand(redis.port, 'PUBSUB', 'NUMSUB', channel), [channel, PROCESSES + 1]),
      )
      expect(await redisCommand(redis.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(PROCESSES + 1)
      const [begun, times] = await Promise.all([manager().call('unban', NAME, ip), seen(ip, 'allow')])
      const late = times.map((time) => time - begun)
      report(
        `${name}, cut off`,
        late.toSorted((x, y) => x - y),
      )
      expect(Math.max(...late)).toBeLessThan(SECOND)
      // They hear again: what is announced now comes by push or by the slow poll.
      expect(await round(ip)).toBeLessThan(SECOND)
    })
  }
})
