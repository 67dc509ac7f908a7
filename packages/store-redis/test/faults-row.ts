import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { type RedisOptions, type RedisServer, redisCommand, startRedis, waitUntil } from '@ipguard/tools'
import { FAULT_CLIENTS, type FaultClient, type Place } from './faults-client.ts'
import {
  BANNED,
  type Figures,
  figuresOf,
  GREEDY,
  type LoadOptions,
  type LoadOrder,
  type LoadReport,
  STRUCK,
} from './faults-report.ts'

/** A server, or several, to which something happens. */
export interface Harm {
  readonly place: Place
  /** Does it and undoes it; answers when it was undone. */
  run(): Promise<void>
  /** Ports of those that may hold the registry of entries in the end. */
  ports(): readonly number[]
  stop(): Promise<unknown>
}

export interface Outcome {
  readonly client: FaultClient
  readonly figures: Figures
  readonly report: LoadReport
  /** Of the store: those of outages that were not over when the fault began. */
  readonly told: LoadReport['events']
  /** Clients whose bans, of before the fault and of during it, the registry in Redis does not have in the end. */
  readonly missing: readonly string[]
}

/** One fault, with a process of each client under load on the same servers. `early`: Redis is there before it. */
export async function harmed(makeHarm: () => Promise<Harm>, early: boolean): Promise<readonly Outcome[]> {
  const harm = await makeHarm()
  // Counters of both on the same servers, apart.
  const loads = FAULT_CLIENTS.map((client) => startLoad({ client, place: harm.place, prefix: client, early }))
  try {
    await Promise.all(loads.map(({ up }) => up))
    const began = time()
    for (const { tell } of loads) tell({ name: 'fault' })
    await harm.run()
    const ended = time()
    for (const { tell } of loads) tell({ name: 'settle', ended })
    const reports = await Promise.all(loads.map(({ report }) => report))
    return await Promise.all(
      reports.map(async (report, i) => {
        const client = FAULT_CLIENTS[i] as FaultClient // one process of each
        const missing = await unwritten(harm.ports(), client, early ? [BANNED, STRUCK, GREEDY] : [BANNED, GREEDY])
        const isOfFault = ({ name, at }: LoadReport['events'][number], i: number): boolean =>
          at >= began || (name === 'degraded' && (report.events[i + 1]?.at ?? began) >= began)
        const told = early ? report.events.filter(isOfFault) : report.events
        return { client, report, told, missing, figures: figuresOf(report, began, ended) }
      }),
    )
  } finally {
    for (const { child } of loads) child.kill('SIGKILL')
    await harm.stop()
  }
}

interface Load {
  readonly child: ChildProcess
  readonly up: Promise<unknown>
  readonly report: Promise<LoadReport>
  readonly tell: (order: LoadOrder) => void
}

function startLoad(options: LoadOptions): Load {
  const child = fork(new URL('faults.child.ts', import.meta.url), [JSON.stringify(options)], {
    execArgv: ['--conditions=@ipguard/source', '--expose-gc'],
    serialization: 'advanced',
    // Not those of the test run, which would wait for them if this process ended before.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const gone = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`The load with ${options.client} ended with code ${code}.\n${said}`)))
  })
  const message = <T>(isIt: (value: unknown) => boolean): Promise<T> => {
    const told = new Promise<T>((resolve) => {
      child.on('message', (value) => {
        if (isIt(value)) resolve(value as T) // the child sends two kinds
      })
    })
    const either = Promise.race([told, gone])
    either.catch(() => {})
    return either
  }
  return {
    child,
    up: message((value) => value === 'up'),
    report: message<LoadReport>((value) => typeof value === 'object'),
    tell: (order) => void child.send(order),
  }
}

/** For how long a fault lasts. */
export const lasting = (ms: number): Promise<void> => pause(ms)

function time(): number {
  return performance.timeOrigin + performance.now()
}

/** What is announced after the answer may take a moment. */
async function unwritten(ports: readonly number[], prefix: string, clients: readonly string[]): Promise<string[]> {
  const missing = new Set(clients)
  const look = async (): Promise<boolean> => {
    for (const client of missing) {
      const asked = ports.map((port) => redisCommand(port, 'HEXISTS', `${prefix}:1:{entries}:all`, `ban ${client}/32`))
      const answers = await Promise.allSettled(asked)
      if (answers.some((answer) => answer.status === 'fulfilled' && answer.value === 1)) missing.delete(client)
    }
    return missing.size === 0
  }
  await waitUntil('all bans are in Redis', look, 1_000).catch(() => {})
  return [...missing]
}

/** One server, and what is done to it. */
export async function harmOne(run: (redis: RedisServer) => Promise<void>, options: RedisOptions = {}): Promise<Harm> {
  const redis = await startRedis(options)
  return {
    place: { kind: 'single', port: redis.port },
    run: () => run(redis),
    ports: () => [redis.port],
    stop: redis.stop,
  }
}
