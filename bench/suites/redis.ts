import { startBenchRedis } from '../harness/bench-redis.ts'
import { checkAll, type Figures, measureConcurrent, ratioOf } from '../harness/concurrent.ts'
import { someAddresses } from '../harness/lists.ts'
import { randomOf, shuffled } from '../harness/random.ts'
import { connectionsTo } from '../harness/redis-connections.ts'
import { number, type Result, type Table, times, type Verdict } from '../harness/result.ts'
import { countCommands } from './redis-commands.ts'
import type { Contender } from './redis-contender.ts'
import { bareOf, bareOurs, CLIENTS_OF_OURS, FIXED, ours, STRICT } from './redis-ours.ts'
import { FLEXIBLE, limits, peers, RATE_LIMIT_REDIS } from './redis-peers.ts'

const CLIENTS = 10_000
const BUSY = [64, 512] as const
/** What the loop that asks costs by itself. */
const LOOP = 'the loop that asks, no Redis'

/** The figures of one number of checks under way, with whose they are. */
type Row = Figures & Pick<Contender, 'product' | 'client'>

/** A count per client in Redis: as many checks under way as a slow, a busy and a very busy process has. */
export async function redisSuite(): Promise<Result> {
  const redis = await startBenchRedis()
  const connections = connectionsTo(redis.port)
  try {
    const ips = [...new Set(someAddresses(4, CLIENTS + 100, 71))].slice(0, CLIENTS)
    const order = Int32Array.from(
      shuffled(
        ips.map((_, i) => i),
        randomOf(19),
      ),
    )
    const mine = await ours(connections, ips)
    const others = [...(await peers(connections, ips)), ...(await limits(connections, ips))]
    const contenders = [...mine, ...others]
    const bare = await bareOurs(connections, ips)
    // all keys are there before any time is taken
    for (const each of [...contenders, ...bare]) await checkAll(each, order, 64)

    const measured = async (all: readonly Contender[], concurrency: number, alone: boolean): Promise<Row[]> => {
      const slices = alone ? { rounds: 15, slice: 200, lead: 50 } : { rounds: 11, slice: 350, lead: 100 }
      const figures = await measureConcurrent(all, { concurrency, order, ...slices })
      return figures.map((each, i) => ({ ...each, ...(all[i] as Contender) })) // as many
    }
    // what is compared stands side by side
    const pairs = mine.flatMap((each, i) => [each, ...bare.slice(i, i + 1)])
    const one = await measured([...pairs, ...others], 1, true)
    const busy = []
    for (const concurrency of BUSY) {
      const rows = await measured([...contenders, loop()], concurrency, false)
      busy.push({ concurrency, rows })
    }
    const commands = await countCommands(connections, redis.port, ips)
    return {
      title: 'Limiting in Redis',
      notes: [
        `redis-server on this machine, over loopback, ${redis.placed}. 10,000 clients in no order, 60,000 in 60 s for each, which nobody reaches. One connection for each contender, with its client's default settings; "pipelining" is ioredis with enableAutoPipelining. ipguard through store.hit: a window that is fixed as the peers' are, and its default, which also looks for bans and keeps strikes.`,
        'Checks are under way at any time as often as said: who gets an answer asks the next. The tables have medians over the rounds, the promised figures the median of the ratios in each round. us are microseconds; CPU is that of the client process, all threads, for each check. Limit: a script that only counts, by one command for all checks of a turn of the event loop, 64 at most.',
        'Commands are counted by MONITOR. INFO commandstats adds up what was sent and what scripts call, which is 4 for a check that is alone, and less than 1 where those of one client come together.',
      ],
      tables: [tableOf(1, one), ...busy.map(({ concurrency, rows }) => tableOf(concurrency, rows)), commands.table],
      verdicts: [
        ...busy.flatMap(({ concurrency, rows }) => busyVerdicts(concurrency, rows)),
        ...CLIENTS_OF_OURS.map((client) => aloneVerdict(one, client)),
        ...commands.verdicts,
      ],
    }
  } finally {
    connections.close()
    await redis.stop()
  }
}

function busyVerdicts(concurrency: number, rows: readonly Row[]): Verdict[] {
  const fastest = (product: string): Row => best(rows, product, (row) => -row.ops)
  const against = (product: string, peer: string, least: number): Verdict => {
    const [mine, other] = [fastest(product), fastest(peer)]
    const ratio = ratioOf(mine, other, 'ops')
    return {
      claim: `Redis, ${concurrency} at once, ${product} against ${peer} >= ${least}x`,
      figure: `${times(ratio)} (best rounds ${times(mine.bestOps / other.bestOps)}; ${mine.client} and ${other.client})`,
      pass: ratio >= least,
    }
  }
  const thrifty = (product: string): Row => best(rows, product, (row) => row.cpu)
  const cheaper = [RATE_LIMIT_REDIS, FLEXIBLE].map(thrifty).sort((one, other) => one.cpu - other.cpu)[0] as Row // of two
  const cpu = (product: string): Verdict => {
    const mine = thrifty(product)
    const ratio = ratioOf(mine, cheaper, 'cpu')
    return {
      claim: `Redis, ${concurrency} at once, client CPU of ${product} <= 1/3 of the cheaper peer`,
      figure: `${times(ratio)} (best rounds ${times(mine.bestCpu / cheaper.bestCpu)}; ${mine.client} and ${cheaper.name})`,
      pass: ratio <= 1 / 3,
    }
  }
  return [
    against(FIXED, RATE_LIMIT_REDIS, 2),
    against(FIXED, FLEXIBLE, 2.5),
    against(STRICT, RATE_LIMIT_REDIS, 1.2),
    cpu(FIXED),
    cpu(STRICT),
  ]
}

/** The same script, by the same client. */
function aloneVerdict(rows: readonly Row[], client: Contender['client']): Verdict {
  const [mine, bare] = [STRICT, bareOf(STRICT)].map((product) =>
    rows.find((row) => row.product === product && row.client === client),
  )
  const ratio = mine && bare ? ratioOf(mine, bare, 'p50') : Number.NaN
  return {
    claim: `Redis, one at a time, median latency by ${client} <= 1.1x of one EVALSHA of the same script`,
    figure: times(ratio),
    pass: ratio <= 1.1,
  }
}

function best(rows: readonly Row[], product: string, by: (row: Row) => number): Row {
  const found = rows.filter((row) => row.product === product).sort((one, other) => by(one) - by(other))[0]
  if (!found) throw new Error(`${product} was not measured.`)
  return found
}

/** Answers all that is asked in one turn of the event loop in the next. */
function loop(): Contender {
  let waiting: (() => void)[] = []
  const answer = (): void => {
    const all = waiting
    waiting = []
    for (const resolve of all) resolve()
  }
  const check = (): Promise<void> =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(answer)
      waiting.push(resolve)
    })
  return { name: LOOP, product: LOOP, client: 'node-redis', check }
}

function tableOf(concurrency: number, rows: readonly Row[]): Table {
  return {
    title: concurrency === 1 ? 'One check at a time' : `${concurrency} checks at once`,
    columns: ['', 'checks/s', 'best round', 'p50 us', 'p99 us', 'CPU us', 'best round'],
    rows: rows.map(({ name, ops, bestOps, p50, p99, cpu, bestCpu }) => [
      name,
      ...[ops, bestOps, p50, p99, cpu, bestCpu].map(number),
    ]),
  }
}
