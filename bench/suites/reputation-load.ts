import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startRedis } from '@ipguard/tools'
import { someAddresses } from '../harness/lists.ts'
import { median } from '../harness/measure.ts'
import { pacedLoad, type Visit } from '../harness/paced-load.ts'
import { randomOf, shuffled } from '../harness/random.ts'
import { number, type Result, times } from '../harness/result.ts'

const PROCESSES = 4
const ROUNDS = 20
/** A second; 10,000 a minute are 167. */
const RATE = 800
/** As `reputation-server.ts` declares it. */
const PER_MINUTE = 15
/**
 * Requests of a path in a round, in random order, of which the latencies are taken: what stops the machine for some milliseconds, which is
 * what a p99 is made of here, falls on both paths alike.
 */
const MIXED = 4_000
/** Requests of a path in a round, and at one go, of which the CPU is taken: a process cannot tell what it has used for whom. */
const EACH = 2_000
const TURN = 250
/** Requests and rate of the load before the first round, so that the compiler has done its work. */
const FIRST = 40_000
const FIRST_RATE = 3_000
const PATHS = ['/without', '/with'] as const
const BOTH = [0, 1] as const
/**
 * As Node has it, all four processes collect their garbage at once, every ten seconds, for 15 to 90 ms, for whatever path is being asked. So
 * there are many small collections, and none of the old generation.
 */
const HEAP = ['--max-semi-space-size=1', '--initial-heap-size=1024']

/** What a policy that can look nobody up, because its quota is spent, does to requests of addresses that nobody has seen before. */
export async function reputationLoadSuite(): Promise<Result> {
  const redis = await startRedis()
  const source = await startSource()
  const fleet = await startFleet(redis.port, source.url)
  const p99: number[][] = [[], []]
  const cpu: number[][] = [[], []]
  try {
    const strangers = addresses((ROUNDS * (MIXED + EACH) + FIRST) * PATHS.length)
    const visits = (count: number, at: 0 | 1): Visit[] =>
      strangers.splice(0, count).map((ip) => ({ ip, path: PATHS[at] }))
    for (const at of BOTH) await pacedLoad(fleet, visits(FIRST, at), FIRST_RATE)
    const random = randomOf(7)
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = shuffled([...visits(MIXED, 0), ...visits(MIXED, 1)], random)
      const latencies = await pacedLoad(fleet, mixed, RATE)
      for (const at of BOTH) {
        const sorted = latencies.filter((_, i) => mixed[i]?.path === PATHS[at]).sort((a, b) => a - b)
        p99[at]?.push(sorted[Math.floor(MIXED * 0.99)] ?? Number.NaN)
      }
      const spent: [number, number] = [0, 0]
      for (let turn = 0; turn < (EACH / TURN) * PATHS.length; turn++) {
        const at = turnOf(turn + round)
        const before = await fleet.cpu()
        await pacedLoad(fleet, visits(TURN, at), RATE)
        spent[at] += (await fleet.cpu()) - before
      }
      for (const at of BOTH) cpu[at]?.push(spent[at] / EACH)
    }
  } finally {
    fleet.stop()
    source.stop()
    await redis.stop()
  }
  const ratios = (figures: readonly number[][]): number[] =>
    (figures[1] ?? []).map((each, i) => each / (figures[0]?.[i] ?? Number.NaN))
  const { asked } = source
  const most = mostInAMinute(asked)
  const distinct = new Set(asked.map(({ url }) => url)).size
  const figures = [
    { name: 'p99', unit: 'ms', values: p99 },
    { name: 'CPU per request', unit: 'us', values: cpu },
  ]
  return {
    title: 'Reputation with its quota spent',
    notes: [
      `${PROCESSES} Express servers on one Redis with a limit; on one of two paths a reputation policy is asked too, over a source with ${PER_MINUTE} look-ups a minute and 500 a day. ${ROUNDS} rounds, ${RATE} requests a second: for p99, ${MIXED} to either path in random order; then, for CPU, ${EACH} to either, ${TURN} at one go; all from addresses that were never seen before. One fleet for both: of two equal ones either may be some percent slower for its whole life. The source was asked ${asked.length} times in all.`,
    ],
    tables: [
      {
        title: 'Medians over the rounds',
        columns: ['', 'without', 'with', 'median of the ratios'],
        rows: figures.map(({ name, unit, values }) => [
          `${name}, ${unit}`,
          number(median(values[0] ?? [])),
          number(median(values[1] ?? [])),
          times(median(ratios(values))),
        ]),
      },
    ],
    verdicts: [
      ...figures.map(({ name, values }) => {
        const ratio = median(ratios(values))
        return { claim: `${name} with the policy <= 1.05x`, figure: times(ratio), pass: ratio <= 1.05 }
      }),
      {
        claim: `look-ups in any minute, with ${number((RATE * 60) / PATHS.length)} new addresses in each, <= ${PER_MINUTE}, and no address twice`,
        figure: `${most}; ${asked.length} of ${distinct} addresses`,
        pass: most <= PER_MINUTE && asked.length > PER_MINUTE && distinct === asked.length,
      },
    ],
  }
}

/** One, the other, the other, the one: neither is always the first, or behind itself. */
function turnOf(turn: number): 0 | 1 {
  return ((turn + (turn >> 1)) & 1) === 0 ? 0 : 1
}

/** Distinct public addresses. */
function addresses(count: number): string[] {
  const known = new Set<string>()
  for (let seed = 101; known.size < count; seed++) {
    for (const ip of someAddresses(4, count, seed)) {
      // of the private and special ones none is looked up
      if (!/^(0|10|100|127|169|172|192|198|203|22[4-9]|2[3-5]\d)\./.test(ip)) known.add(ip)
    }
  }
  return [...known].slice(0, count)
}

interface Source {
  readonly url: string
  /** What it was asked, as it came. */
  readonly asked: readonly { readonly at: number; readonly url: string | undefined }[]
  readonly stop: () => void
}

async function startSource(): Promise<Source> {
  const asked: { at: number; url: string | undefined }[] = []
  const server = createServer(({ url }, res) => {
    asked.push({ at: performance.now(), url })
    res.setHeader('content-type', 'application/json')
    res.end('{"score":0}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // of a TCP server
  return { url: `http://127.0.0.1:${port}`, asked, stop: () => void server.close() }
}

/** The most that came in any minute. */
function mostInAMinute(asked: Source['asked']): number {
  return Math.max(0, ...asked.map(({ at }, i) => asked.slice(i).filter((other) => other.at - at < 60_000).length))
}

interface Fleet {
  readonly ports: readonly number[]
  readonly agent: Agent
  /** Microseconds of all its processes since their start. */
  readonly cpu: () => Promise<number>
  readonly stop: () => void
}

async function startFleet(redisPort: number, sourceUrl: string): Promise<Fleet> {
  const started = await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      const child = fork(new URL('reputation-server.ts', import.meta.url), [String(redisPort), sourceUrl], {
        execArgv: [...process.execArgv.filter((flag) => flag.startsWith('--conditions')), ...HEAP],
      })
      const [{ port }] = (await once(child, 'message')) as [{ port: number }] // as the server's file says
      return { child, port }
    }),
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return {
    ports: started.map(({ port }) => port),
    agent,
    cpu: async () => (await Promise.all(started.map(({ child }) => cpuOf(child)))).reduce((sum, each) => sum + each, 0),
    stop: () => {
      agent.destroy()
      for (const { child } of started) child.disconnect()
    },
  }
}

async function cpuOf(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message')
  child.send('cpu')
  const [{ cpu }] = (await answer) as [{ cpu: number }] // as the server's file says
  return cpu
}
