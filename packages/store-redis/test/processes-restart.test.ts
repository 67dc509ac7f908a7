import { type RedisServer, redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ClientName, Opening } from './processes.child.ts'
import { type Fleet, startFleet } from './processes-fleet.ts'

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']
const FETCH = 300_000
const NAME = 'guard'
const PREFIX = 'shop'
const LIMIT = 5

/** Who is banned by the ladder, by hand for a while, by hand for good; and who is let in whatever the count says. */
const LADDER = '203.0.113.7'
const MANUAL = '2001:db8:0:7::1'
const PERMANENT = '198.51.100.9'
const ALLOWED = '192.0.2.1'

async function start(args: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis({ args })
  onTestFinished(redis.stop)
  return redis
}

async function startGuards(size: number, redis: RedisServer, client: ClientName): Promise<Fleet> {
  const fleet = await startFleet(size, redis.port)
  onTestFinished(fleet.kill)
  const limit = { limit: LIMIT, window: '24h', ladder: [{ name: 'out', ban: '1h' }] } as const
  const opening: Opening = { client, prefix: PREFIX, limits: [limit], options: { deadline: '10s' } }
  await fleet.all('open', NAME, opening)
  return fleet
}

async function manage({ members: [first] }: Fleet): Promise<void> {
  expect((await first!.call('flood', NAME, LADDER, LIMIT + 1)).admitted).toBe(LIMIT)
  await first!.call('ban', NAME, MANUAL, '1h')
  await first!.call('ban', NAME, PERMANENT, 'permanent')
  await first!.call('allow', NAME, ALLOWED)
}

async function expectKept(fleet: Fleet): Promise<void> {
  for (const ip of [LADDER, MANUAL, PERMANENT])
    for (const decision of await fleet.all('check', NAME, ip))
      expect(decision).toEqual({ action: 'deny', reason: 'banned' })
  for (const flood of await fleet.all('flood', NAME, ALLOWED, LIMIT * 2))
    expect(flood).toEqual({ admitted: LIMIT * 2, admittedDegraded: 0, degraded: 0 })
}

function entriesIn(redis: RedisServer): Promise<unknown> {
  return redisCommand(redis.port, 'HLEN', `${PREFIX}:1:{entries}:all`)
}

/** The keys in which hits meet the bans, whatever the copies know. */
function clientsIn(redis: RedisServer): Promise<unknown> {
  return redisCommand(
    redis.port,
    'EXISTS',
    ...[LADDER, '2001:db8:0:7::/64', PERMANENT].map((client) => `${PREFIX}:1:{${client}}`),
  )
}

describe.each(['node-redis', 'ioredis'] as const)('bans and managed lists with %s', (client) => {
  it('survive a restart of every process', { timeout: FETCH }, async () => {
    const redis = await start([])
    const before = await startGuards(3, redis, client)
    await manage(before)
    await waitUntil('all is in Redis', async () => (await entriesIn(redis)) === 4)
    await before.kill()
    await expectKept(await startGuards(2, redis, client))
  })

  it('survive a crash of every process and of a Redis with an append-only file', async () => {
    const redis = await start(AOF)
    const before = await startGuards(2, redis, client)
    await manage(before)
    await waitUntil('all is in Redis', async () => (await entriesIn(redis)) === 4)
    await before.kill()
    await redis.kill()
    await redis.restart()
    await expectKept(await startGuards(2, redis, client))
  })

  it('that were lifted stay lifted when Redis comes back as it was before', async () => {
    const redis = await start([])
    const living = await startGuards(2, redis, client)
    await manage(living)
    await waitUntil('all is in Redis', async () => (await entriesIn(redis)) === 4)
    await redisCommand(redis.port, 'SAVE')
    const [first, second] = living.members
    for (const ip of [LADDER, MANUAL, PERMANENT]) await first!.call('unban', NAME, ip)
    await Promise.all([LADDER, MANUAL, PERMANENT].map((ip) => second!.call('sees', NAME, ip, 'allow')))
    await redis.kill()
    await redis.restart()
    await waitUntil('they are out of Redis again', async () => (await entriesIn(redis)) === 1)
    const fresh = await startGuards(1, redis, client)
    for (const ip of [LADDER, MANUAL, PERMANENT])
      for (const each of [...living.members, ...fresh.members])
        expect(await each.call('check', NAME, ip)).toMatchObject({ action: 'allow' })
  })

  it('are put back by one living process into a Redis that came back empty', async () => {
    const redis = await start([])
    const living = await startGuards(1, redis, client)
    await manage(living)
    await waitUntil('all is in Redis', async () => (await entriesIn(redis)) === 4)
    await redis.kill()
    // Not for a moment does the process that knows them let them in.
    let asked = 0
    const denied = async (): Promise<void> => {
      for (const ip of [LADDER, MANUAL, PERMANENT]) {
        expect(await living.members[0]!.call('check', NAME, ip)).toMatchObject({ action: 'deny', reason: 'banned' })
        asked++
      }
    }
    await denied()
    await redis.restart()
    await waitUntil('all is in Redis again', async () => {
      await denied()
      return (await entriesIn(redis)) === 4 && (await clientsIn(redis)) === 3
    })
    expect(asked).toBeGreaterThanOrEqual(6)
    const fresh = await startGuards(1, redis, client)
    await living.kill()
    await expectKept(fresh)
  })
})
