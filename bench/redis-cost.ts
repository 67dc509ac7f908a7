// What a check costs the server and the process that asks, in CPU time: the figures of docs/scaling.md.
import { createGuard, type Guard, type Policy, rateLimit } from '@ipguard/core'
import { type RedisClient, redisStore } from '@ipguard/store-redis'
import { redisCommand, startCluster } from '@ipguard/tools'
import { createCluster } from 'redis'
import { startBenchRedis } from './harness/bench-redis.ts'
import { connectionsTo } from './harness/redis-connections.ts'

const LADDER = [{ ban: '24h' }, { ban: '30d', after: 3 }] as const
const LIMIT = 1_000_000
const ROUNDS = 5
const CHECKS = 60_000
/** One at a time they take longer. */
const CHECKS_ALONE = 10_000

interface Row {
  readonly what: string
  readonly policies: readonly Policy[]
  readonly clients: number
  readonly atOnce: number
}

/** Where a row is measured. */
interface Place {
  readonly name: string
  readonly ports: readonly number[]
  readonly connect: () => Promise<RedisClient>
}

const strict = rateLimit({ limit: LIMIT, window: '60s', ladder: LADDER })
const three = [strict, rateLimit({ limit: LIMIT, window: '1h' }), rateLimit({ limit: LIMIT, window: '24h' })]
const ROWS: readonly Row[] = [
  ...[1, 64, 512].map((atOnce) => ({
    what: 'fixed window',
    policies: [rateLimit({ limit: LIMIT, window: '60s', algorithm: 'fixed-window' })],
    clients: 10_000,
    atOnce,
  })),
  ...[1, 64, 512].map((atOnce) => ({ what: 'strict window, ladder', policies: [strict], clients: 10_000, atOnce })),
  { what: 'three strict windows, ladder', policies: three, clients: 10_000, atOnce: 64 },
  ...[10, 100].map((lease) => ({
    what: `strict window, ladder, lease ${lease}, 100 busy clients`,
    policies: [rateLimit({ limit: LIMIT, window: '60s', ladder: LADDER, lease })],
    clients: 100,
    atOnce: 64,
  })),
]

/** Of one server; on a cluster the first rows only, as the others differ in the same way. */
const ON_CLUSTER = ROWS.filter(({ what, atOnce }) => what === 'strict window, ladder' && atOnce > 1)

const redis = await startBenchRedis()
const connections = connectionsTo(redis.port)
const cluster = await startCluster()
const client = createCluster({ rootNodes: cluster.ports.map((port) => ({ socket: { host: '127.0.0.1', port } })) })
client.on('error', () => {})
console.log(`redis-server on this machine, ${redis.placed}; node-redis, guard.check.`)
console.log(`CPU time in us for each check, medians and lowest of ${ROUNDS} rounds.\n`)
console.log('| limits | Redis | checks at once | calls for a check | Redis, us | lowest | process, us | lowest |')
console.log('|---|---|---:|---:|---:|---:|---:|---:|')
try {
  await client.connect()
  const single: Place = { name: 'one server', ports: [redis.port], connect: () => connections.nodeRedis() }
  const three: Place = { name: 'cluster of 3', ports: cluster.ports, connect: async () => client }
  for (const row of ROWS) await show(row, single)
  for (const row of ON_CLUSTER) await show(row, three)
} finally {
  connections.close()
  client.destroy()
  await redis.stop()
  await cluster.stop()
}

async function show(row: Row, { name, ports, connect }: Place): Promise<void> {
  const store = redisStore({ client: await connect(), prefix: `cost-${ROWS.indexOf(row)}` })
  const guard = createGuard({ store, policies: row.policies, deadline: '10s' })
  const checks = row.atOnce === 1 ? CHECKS_ALONE : CHECKS
  await checkMany(guard, row, checks / 2)
  const rounds: Costs[] = []
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(guard, row, ports, checks))
  const sorted = (column: keyof Costs): readonly number[] =>
    rounds.map((each) => each[column]).toSorted((x, y) => x - y)
  const [calls, server, own] = [sorted('calls'), sorted('server'), sorted('own')]
  const middle = ROUNDS >> 1
  const figures = [calls[middle], server[middle], server[0], own[middle], own[0]].map((each = 0) => each.toPrecision(2))
  console.log(`| ${row.what} | ${name} | ${row.atOnce} | ${figures.join(' | ')} |`)
  await guard.close()
}

/** For each check. */
interface Costs {
  readonly calls: number
  readonly server: number
  readonly own: number
}

async function measure(guard: Guard, row: Row, ports: readonly number[], checks: number): Promise<Costs> {
  const before = await Promise.all(ports.map(serverState))
  const start = process.cpuUsage()
  await checkMany(guard, row, checks)
  const { user, system } = process.cpuUsage(start)
  const after = await Promise.all(ports.map(serverState))
  const sum = (name: 'calls' | 'cpu'): number =>
    after.reduce((total, each, i) => total + each[name] - (before[i]?.[name] ?? 0), 0)
  return { calls: sum('calls') / checks, server: sum('cpu') / checks, own: (user + system) / checks }
}

/** CPU time so far in us, and how often a script was called. */
async function serverState(port: number): Promise<{ readonly cpu: number; readonly calls: number }> {
  const info = `${String(await redisCommand(port, 'INFO', 'cpu'))}${String(await redisCommand(port, 'INFO', 'commandstats'))}`
  const number = (pattern: RegExp): number => Number(pattern.exec(info)?.[1] ?? 0)
  return {
    cpu: (number(/used_cpu_sys:([\d.]+)/) + number(/used_cpu_user:([\d.]+)/)) * 1e6,
    calls: number(/cmdstat_evalsha:calls=(\d+)/),
  }
}

async function checkMany(guard: Guard, { clients, atOnce }: Row, count: number): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const n = (next++ * 7_919) % clients
      const request = { method: 'GET', url: '/', headers: { get: () => null } }
      const decision = await guard.check(request, { peer: `203.${n >> 8}.${n & 255}.7` })
      if (decision.action !== 'allow' || decision.degraded) throw new Error(`Not measured: ${JSON.stringify(decision)}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
