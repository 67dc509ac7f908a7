import { once } from 'node:events'
import {
  createGuard,
  type Decision,
  type Guard,
  type GuardOptions,
  type RateLimitOptions,
  type ReportInput,
  type ReportResult,
  rateLimit,
} from '@ipguard/core'
import { type RedisClient, redisStore } from '@ipguard/store-redis'
import { serveOrders, waitUntil } from '@ipguard/tools'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { lineLogger, type Reporting, reportSource } from './processes-reports-source.ts'

/** One of the processes that share a Redis: does what the test says, one message after another, and tells what came of it. */

export type ClientName = 'node-redis' | 'ioredis'

export interface Opening {
  readonly client: ClientName
  /** With a second connection, for push. @default false */
  readonly subscriber?: boolean
  readonly prefix: string
  readonly limits?: readonly RateLimitOptions<unknown>[]
  readonly options?: Omit<GuardOptions, 'policies' | 'store'>
  readonly reporting?: Reporting
}

/** How many decisions of each kind. */
export interface Flood {
  readonly admitted: number
  /** Admitted, and the decision says that not everything was asked. */
  readonly admittedDegraded: number
  readonly degraded: number
}

export interface LoadFigures {
  /** The longest time that one turn of the event loop took of the thread, in ms. */
  readonly longestTurn: number
  /** The same by the clock on the wall, with what neighbours on the machine took. */
  readonly longestWait: number
  readonly elapsed: number
  readonly denied: number
}

interface Connection {
  readonly client: RedisClient
  /** When it was connected last, see `now`. */
  readyAt: number
}

const port = Number(process.argv[2])
const connections = new Map<string, Connection>()
const guards = new Map<string, { readonly guard: Guard; readonly lines: string[]; bans: number; recoveries: number }>()

/** Milliseconds that mean the same in every process of this machine. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

async function connect(kind: ClientName, role: 'client' | 'subscriber'): Promise<Connection> {
  const known = connections.get(`${kind} ${role}`)
  if (known) return known
  const client: RedisClient & { on(event: string, listener: () => void): unknown } =
    kind === 'ioredis' ? new Redis({ host: '127.0.0.1', port }) : createClient({ socket: { host: '127.0.0.1', port } })
  const connection = { client, readyAt: 0 }
  connections.set(`${kind} ${role}`, connection)
  // A lost connection is a part of some tests.
  client.on('error', () => {})
  client.on('ready', () => {
    connection.readyAt = now()
  })
  if (client instanceof Redis) await once(client, 'ready')
  else await (client as unknown as { connect(): Promise<unknown> }).connect()
  return connection
}

function guardOf(name: string): Guard {
  const known = guards.get(name)
  if (!known) throw new Error(`There is no guard ${name} in this process.`)
  return known.guard
}

/** A new request each time: the same one counts once. */
async function check(guard: Guard, ip: string): Promise<Decision> {
  return guard.check({ method: 'GET', url: '/', headers: new Headers() }, { peer: ip })
}

async function make(name: string, opening: Opening): Promise<Guard> {
  const { client, subscriber = false, prefix, limits = [], options = {}, reporting } = opening
  const lines: string[] = []
  const { url: _url, key: _key, ...reports } = reporting ?? {}
  const guard = createGuard({
    ...options,
    ...(reporting && {
      reports: { providers: [reportSource(reporting)], dryRun: false, ...reports },
      logger: lineLogger(lines),
    }),
    policies: limits.map((each) => rateLimit(each)),
    store: redisStore({
      client: (await connect(client, 'client')).client,
      ...(subscriber && { subscriber: (await connect(client, 'subscriber')).client }),
      prefix,
    }),
  })
  const known = { guard, lines, bans: 0, recoveries: 0 }
  guards.set(name, known)
  guard.on('ban', () => known.bans++)
  guard.on('recovered', () => known.recoveries++)
  return guard
}

const orders = {
  /** Makes a guard, and waits until it has its copy of the entries. */
  async open(name: string, opening: Opening): Promise<void> {
    const guard = await make(name, opening)
    await waitUntil('the entries are loaded', async () => {
      guard.entries()
      return !(await guard.status()).degraded
    })
  },
  async flood(name: string, ip: string, count: number): Promise<Flood> {
    const guard = guardOf(name)
    const decisions = await Promise.all(Array.from({ length: count }, () => check(guard, ip)))
    const admitted = decisions.filter(({ action }) => action === 'allow')
    return {
      admitted: admitted.length,
      admittedDegraded: admitted.filter(({ degraded }) => degraded).length,
      degraded: decisions.filter(({ degraded }) => degraded).length,
    }
  },
  async inTurn(name: string, ip: string, count: number): Promise<Flood> {
    const flood = { admitted: 0, admittedDegraded: 0, degraded: 0 }
    for (let i = 0; i < count; i++) {
      const { admitted, admittedDegraded, degraded } = await orders.flood(name, ip, 1)
      flood.admitted += admitted
      flood.admittedDegraded += admittedDegraded
      flood.degraded += degraded
    }
    return flood
  },
  async check(name: string, ip: string): Promise<Pick<Decision, 'action' | 'reason' | 'degraded'>> {
    const { action, reason, degraded } = await check(guardOf(name), ip)
    return { action, ...(reason && { reason }), ...(degraded && { degraded }) }
  },
  /** When a check was first decided so: asked now, and after each change of the copy. */
  sees(name: string, ip: string, action: Decision['action']): Promise<number> {
    const guard = guardOf(name)
    return new Promise((resolve) => {
      let over = false
      const look = async (): Promise<void> => {
        if ((await check(guard, ip)).action !== action || over) return
        over = true
        off()
        resolve(now())
      }
      const off = guard.on('entry', () => void look())
      void look()
    })
  },
  async ban(name: string, ip: string, length: '1h' | 'permanent'): Promise<void> {
    await guardOf(name).ban(ip, { for: length })
  },
  /** Answers when it began. */
  async unban(name: string, ip: string): Promise<number> {
    const begun = now()
    await guardOf(name).unban(ip)
    return begun
  },
  async allow(name: string, ip: string): Promise<void> {
    await guardOf(name).allow(ip)
  },
  async deny(name: string, ip: string): Promise<void> {
    await guardOf(name).deny(ip)
  },
  bans: (name: string): readonly string[] =>
    guardOf(name)
      .entries({ kind: 'ban' })
      .map(({ cidr }) => cidr),
  /** Of this process's own making. */
  banEvents: (name: string): number => guards.get(name)?.bans ?? 0,
  recoveries: (name: string): number => guards.get(name)?.recoveries ?? 0,
  /** When the client was connected last; waits for that to be later than `since`. */
  async ready(client: ClientName, since = 0): Promise<number> {
    const connection = await connect(client, 'client')
    await waitUntil('the client is connected again', () => connection.readyAt > since)
    return connection.readyAt
  },
  now,
  /** All at once. */
  async report(name: string, ips: readonly string[], input: ReportInput): Promise<readonly ReportResult[]> {
    const results = await Promise.all(ips.map((ip) => guardOf(name).report(ip, input)))
    return results.flat()
  },
  /** Everything that the process could show of its reports: what was logged, the metrics, the status. */
  async shown(name: string): Promise<string> {
    const guard = guardOf(name)
    return JSON.stringify([guards.get(name)?.lines, guard.metrics(), await guard.status()])
  },
  /** Loads a registry into a new guard, and looks at each turn of the event loop meanwhile. */
  async load(name: string, opening: Opening, sample: readonly string[]): Promise<LoadFigures> {
    await connect(opening.client, 'client')
    // Node loads its fetch at the first one, which is no part of the load.
    new Headers()
    const begun = now()
    let longest = 0
    let longestWait = 0
    let last = process.threadCpuUsage()
    let lastAt = performance.now()
    let done = false
    const turn = (): void => {
      const spent = process.threadCpuUsage(last)
      longest = Math.max(longest, spent.user + spent.system)
      longestWait = Math.max(longestWait, performance.now() - lastAt)
      last = process.threadCpuUsage()
      lastAt = performance.now()
      if (!done) setImmediate(turn)
    }
    setImmediate(turn)
    const guard = await make(name, opening)
    // The first check waits for the copy.
    const { degraded } = await check(guard, '192.0.2.1')
    done = true
    if (degraded) throw new Error('The entries were not there by the deadline.')
    const elapsed = now() - begun
    const decisions = await Promise.all(sample.map((ip) => check(guard, ip)))
    return {
      longestTurn: longest / 1000,
      longestWait,
      elapsed,
      denied: decisions.filter(({ action }) => action === 'deny').length,
    }
  },
  async close(name: string): Promise<void> {
    await guardOf(name).close()
    guards.delete(name)
  },
}

export type Orders = typeof orders

serveOrders(orders)
