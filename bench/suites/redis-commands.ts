import { readFileSync } from 'node:fs'
import { createGuard, type Decision, type Guard, type GuardRequest, rateLimit } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { checkAll } from '../harness/concurrent.ts'
import type { Connections } from '../harness/redis-connections.ts'
import { type Commands, monitorRedis } from '../harness/redis-monitor.ts'
import { number, type Table, type Verdict } from '../harness/result.ts'
import { LIMIT } from './redis-contender.ts'
import { LADDER } from './redis-ours.ts'

/** Milliseconds of each spell; the idle one is as long. */
const SPELL = 1_000
const CONCURRENT = 64
/** Real clients in the order in which they came: time, address, method, status and path in each line. */
const LOG = new URL('../../examples/express/data/access-log.txt', import.meta.url)

interface Spell extends Commands {
  readonly name: string
  readonly checks: number
}

/** What a guard sends to Redis: three limits, one with a ladder, and managed entries of every kind. */
export async function countCommands(
  connections: Connections,
  port: number,
  ips: readonly string[],
): Promise<{ readonly table: Table; readonly verdicts: readonly Verdict[] }> {
  const guard = createGuard({
    store: redisStore({ client: await connections.nodeRedis(), prefix: 'commands' }),
    clientIp: {},
    // a check that Redis did not answer is seen as refused
    deadline: '10s',
    policies: [
      rateLimit({ limit: LIMIT, window: '60s', ladder: LADDER, onError: 'deny' }),
      rateLimit({ limit: LIMIT * 60, window: '1h', onError: 'deny' }),
      rateLimit({ limit: 100_000, window: '1s', algorithm: 'token-bucket', onError: 'deny' }),
    ],
  })
  const monitor = await monitorRedis(port)
  try {
    return await spells(guard, monitor.during, ips)
  } finally {
    monitor.close()
    await guard.close()
  }
}

async function spells(
  guard: Guard,
  during: (work: () => Promise<void>) => Promise<Commands>,
  ips: readonly string[],
): ReturnType<typeof countCommands> {
  const banned = '198.51.100.1'
  await guard.ban(banned, { for: '1d' })
  await guard.ban('198.51.100.128/25', { for: '1d' })
  await guard.allow('192.0.2.1')
  await guard.deny('192.0.2.128/25')
  const order = Int32Array.from(ips, (_, i) => i)
  const check = (i: number): Promise<void> => decide(guard, ips[i % ips.length] as string, 'allow') // inside, here and below
  const logged = readFileSync(LOG, 'latin1')
    .split('\n')
    .flatMap((line) => line.split('\t')[1] ?? [])
  // the scripts are known, the entries have been loaded, and the configuration has been looked at
  await checkAll({ name: 'first', check }, order, CONCURRENT)
  await pause(SPELL)

  const idle = { name: 'no check', checks: 0, ...(await during(() => pause(SPELL))) }
  const spell = async (name: string, at: (i: number) => Promise<void>, concurrency: number): Promise<Spell> => {
    let checks = 0
    const commands = await during(async () => {
      const end = performance.now() + SPELL
      const work = async (): Promise<void> => {
        while (performance.now() < end) await at(checks++)
      }
      await Promise.all(Array.from({ length: concurrency }, work))
    })
    return { name, checks, ...commands }
  }
  const alone = await spell('three limits, one check at a time', check, 1)
  const many = await spell(`three limits, ${CONCURRENT} at once`, check, CONCURRENT)
  const real = await spell(
    `three limits, ${CONCURRENT} at once, clients of an access log`,
    (i) => decide(guard, logged[i % logged.length] as string, 'allow'),
    CONCURRENT,
  )
  const refused = await spell(
    'a banned client',
    async (i) => {
      await decide(guard, banned, 'deny')
      if (i % 100 === 0) await pause(1)
    },
    1,
  )
  const all = [idle, alone, many, real, refused]
  return {
    table: {
      title: `What a guard sends to Redis in ${SPELL / 1000} s`,
      columns: [
        '',
        'checks',
        'commands as without checks',
        'other commands',
        'of these for a check',
        'calls in scripts',
        'commandstats for a check',
      ],
      rows: all.map((each) => {
        const more = beyond(each, idle)
        return [
          each.name,
          each.checks.toLocaleString('en'),
          `${sum(each) - more}`,
          more.toLocaleString('en'),
          each.checks === 0 ? '-' : number(more / each.checks),
          each.inScripts.toLocaleString('en'),
          each.checks === 0 ? '-' : number(calls(each, idle) / each.checks),
        ]
      }),
    },
    verdicts: [
      ...[alone, many, real].map((each) => ({
        claim: `Redis, a guard with a ladder and managed entries, ${each.name}: commands for a check <= 1`,
        figure: number(beyond(each, idle) / each.checks),
        pass: beyond(each, idle) <= each.checks && steady(each, idle),
      })),
      {
        claim: `Redis, the same, ${real.name}: INFO commandstats for a check, with what scripts call, <= 1`,
        figure: number(calls(real, idle) / real.checks),
        pass: calls(real, idle) <= real.checks,
      },
      {
        claim: 'Redis, a banned client: zero commands',
        figure: `${beyond(refused, idle)} in ${refused.checks.toLocaleString('en')} checks`,
        pass: beyond(refused, idle) === 0 && steady(refused, idle),
      },
    ],
  }
}

/** Commands of other kinds than those that come when nobody asks: the guard looks for changes all the time. */
function beyond({ sent }: Commands, idle: Commands): number {
  let more = 0
  for (const [what, count] of sent) if (!idle.sent.has(what)) more += count
  return more
}

/** By `INFO commandstats`: what was sent and what scripts called, less what there is without checks. */
function calls(spell: Commands, idle: Commands): number {
  return sum(spell) + spell.inScripts - sum(idle) - idle.inScripts
}

/** The looks for changes are no more than without checks; one more may fit into a spell as long. */
function steady(spell: Commands, idle: Commands): boolean {
  return sum(spell) - beyond(spell, idle) <= sum(idle) + 1
}

function sum({ sent }: Commands): number {
  return [...sent.values()].reduce((total, count) => total + count, 0)
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

async function decide(guard: Guard, ip: string, expected: Decision['action']): Promise<void> {
  // a new one each time: the same request counts once
  const request: GuardRequest = { method: 'GET', url: '/products/17', headers: { get: () => undefined } }
  const decision = await guard.check(request, { peer: ip })
  if (decision.action !== expected || decision.degraded)
    throw new Error(`A decision was ${decision.action} by ${decision.policy}, not ${expected}.`)
}
