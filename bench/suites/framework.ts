import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type HttpLoad, httpLoad } from '../harness/http-load.ts'
import { someAddresses } from '../harness/lists.ts'
import { median } from '../harness/measure.ts'
import { pin } from '../harness/pin.ts'
import { number, type Result, times, type Verdict } from '../harness/result.ts'
import { CONTENDERS, type Contender } from './frameworks/contender.ts'

const CLIENTS = 10_000
/** Servers of each contender, one after the other: of two equal ones either may be some percent slower for its whole life. */
const FLEETS = 3
/** Of each fleet. Many short turns: what else the machine does comes and goes in seconds, and so falls on all contenders of a round alike. */
const ROUNDS = 61
const REQUESTS = 1_000
const CONNECTIONS = 32

/** A framework, the package that its users take, and what is promised. */
interface Framework {
  readonly title: string
  readonly name: 'express' | 'koa' | 'fastify' | 'hono' | 'node'
  /** Absent where there is none. */
  readonly favourite?: string
  /** CPU added with headers on, as a share of the favourite's. */
  readonly share?: readonly [text: string, most: number]
  /** Requests a second with headers off, as a share of the bare server's. */
  readonly keeps?: number
}

const FRAMEWORKS: readonly Framework[] = [
  { title: 'Express', name: 'express', favourite: 'express-rate-limit with draft-8 headers', share: ['1/3', 1 / 3] },
  { title: 'Koa', name: 'koa', favourite: 'koa-ratelimit with its memory driver', share: ['1/3', 1 / 3] },
  { title: 'Fastify', name: 'fastify', favourite: '@fastify/rate-limit', share: ['1/2', 1 / 2], keeps: 0.93 },
  { title: 'Hono on Node', name: 'hono', favourite: 'hono-rate-limiter with draft-7 headers', share: ['1/3', 1 / 3] },
  { title: 'node:http', name: 'node', keeps: 0.93 },
]

/** What a limit adds to a request on a framework, as CPU of the server's process, and what is left of its throughput. */
export async function frameworkSuite(name: string): Promise<Result> {
  const framework = FRAMEWORKS.find((each) => each.name === name)
  if (!framework) throw new Error(`There is no framework ${name}.`)
  const { title, favourite } = framework
  const contenders = CONTENDERS.filter((each) => favourite !== undefined || each !== 'favourite')
  const { placed, measured } = await measure(framework.name, contenders)
  const of = (contender: Contender): Measured => measured[contenders.indexOf(contender)] ?? NOTHING
  const bare = of('bare')
  return {
    title: `A limit on ${title}`,
    notes: [
      `Servers in processes of their own, one handler that sends two bytes, 10,000 clients in X-Forwarded-For from a trusted loopback proxy, 32 keep-alive connections, a decision on every request.${favourite === undefined ? '' : ` The favourite is ${favourite}.`} Limit: two headers that are always the same and no decision; what sends headers cannot be cheaper.`,
      `${FLEETS} servers of each in turn, ${ROUNDS} rounds of each, in a round ${REQUESTS.toLocaleString('en')} requests to every contender; ${placed}. "Added" is the median of what a server takes more than the bare one in the same round, "requests/s" that of its share of the bare one's, as the client sees them.`,
    ],
    tables: [
      {
        title: 'CPU of the server per request, us',
        columns: ['', 'median', 'best', 'added', 'added, best', 'requests/s of bare'],
        rows: contenders.map((contender) => {
          const { cpu, best, added, kept } = of(contender)
          return [contender, number(cpu), number(best), number(added), number(best - bare.best), times(kept)]
        }),
      },
    ],
    verdicts: verdictsOf(framework, of),
  }
}

function verdictsOf(
  { title, favourite, share, keeps }: Framework,
  of: (contender: Contender) => Measured,
): readonly Verdict[] {
  const bare = of('bare')
  const verdicts: Verdict[] = []
  if (favourite !== undefined && share) {
    const ratio = of('ipguard').added / of('favourite').added
    const best = (of('ipguard').best - bare.best) / (of('favourite').best - bare.best)
    verdicts.push({
      claim: `CPU added per request on ${title} <= ${share[0]} of ${favourite}`,
      figure: `${times(ratio)} (best rounds ${times(best)})`,
      pass: ratio <= share[1],
    })
  }
  if (keeps !== undefined) {
    const { kept } = of('ipguard, no headers')
    verdicts.push({
      claim: `Requests/s on ${title} with headers off >= ${keeps} of the bare server's`,
      figure: times(kept),
      pass: kept >= keeps,
    })
  }
  return verdicts
}

interface Measured {
  /** us per request: the median and the best of the rounds. */
  readonly cpu: number
  readonly best: number
  /** More than the bare server in the same round: the median. */
  readonly added: number
  readonly kept: number
}

const NOTHING: Measured = { cpu: Number.NaN, best: Number.NaN, added: Number.NaN, kept: Number.NaN }

async function measure(
  framework: string,
  contenders: readonly Contender[],
): Promise<{ readonly placed: string; readonly measured: readonly Measured[] }> {
  const requests = someAddresses(4, CLIENTS, 61).map((ip) =>
    Buffer.from(`GET / HTTP/1.1\r\nHost: shop.example\r\nAccept: text/html\r\nX-Forwarded-For: ${ip}\r\n\r\n`),
  )
  const found = contenders.map((): Rounds => ({ cpu: [], ms: [] }))
  let placed = ''
  for (let fleet = 0; fleet < FLEETS; fleet++) {
    const servers: Server[] = []
    try {
      for (const contender of contenders) servers.push(await startServer(framework, contender, requests))
      placed = place(servers)
      for (const server of servers) await warmUp(server)
      await inTurn(servers, found)
    } finally {
      for (const { child, load } of servers) {
        load.close()
        child.disconnect()
      }
    }
  }
  const [bare] = found
  return { placed, measured: found.map((each) => measuredOf(each, bare ?? each)) }
}

/** As if they were two machines: else each takes from the other. */
function place(servers: readonly Server[]): string {
  const pinned = servers.every(({ child }) => pin(child.pid ?? 0, 0)) && pin(process.pid, 1)
  return pinned
    ? 'the servers on core 0, the client on core 1'
    : 'servers and client on whatever core they get, as there is only one or no taskset'
}

/** All in every round, each time another one first. */
async function inTurn(servers: readonly Server[], found: readonly Rounds[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < servers.length; i++) {
      const at = (i + round) % servers.length
      const server = servers[at] as Server // inside
      const before = await cpuOf(server)
      const start = performance.now()
      await server.load.send(REQUESTS)
      found[at]?.ms.push(performance.now() - start)
      found[at]?.cpu.push(((await cpuOf(server)) - before) / REQUESTS)
    }
  }
}

/** What a contender's servers took in each round. */
interface Rounds {
  /** us per request. */
  readonly cpu: number[]
  /** ms for all requests of the round. */
  readonly ms: number[]
}

function measuredOf({ cpu, ms }: Rounds, bare: Rounds): Measured {
  return {
    cpu: median(cpu),
    best: Math.min(...cpu),
    added: median(cpu.map((each, round) => each - (bare.cpu[round] ?? Number.NaN))),
    kept: median(ms.map((each, round) => (bare.ms[round] ?? Number.NaN) / each)),
  }
}

/** Whoever counts says so in every answer: nothing is measured that does not do its work. */
async function warmUp({ contender, load }: Server): Promise<void> {
  const limited = await load.send(2 * CLIENTS)
  const expected = contender === 'bare' || contender === 'ipguard, no headers' ? 0 : 2 * CLIENTS
  if (limited !== expected)
    throw new Error(`${contender} sent ${limited} answers with headers of a limit instead of ${expected}.`)
}

interface Server {
  readonly contender: Contender
  readonly child: ChildProcess
  readonly load: HttpLoad
}

async function startServer(framework: string, contender: Contender, requests: readonly Buffer[]): Promise<Server> {
  const child = fork(new URL('framework-server.ts', import.meta.url), [framework, contender], {
    execArgv: process.execArgv.filter((flag) => flag.startsWith('--conditions')),
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The server of ${framework} with ${contender} ended with code ${code}.`)
  })
  ended.catch(() => {})
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }] // as the server's file says
  return { contender, child, load: httpLoad(port, requests, CONNECTIONS) }
}

async function cpuOf({ child }: Server): Promise<number> {
  const answer = once(child, 'message')
  child.send('cpu')
  const [{ cpu }] = (await answer) as [{ cpu: number }] // as the server's file says
  return cpu
}
