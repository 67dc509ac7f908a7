import { allow, createGuard, type Decision, deny, type Guard, type GuardRequest, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { someAddresses, someCidrs } from '../harness/lists.ts'
import { type Contender, measure } from '../harness/measure.ts'
import { randomOf, shuffled } from '../harness/random.ts'
import { medianOf, OURS, type Result, times, timingTable } from '../harness/result.ts'

const CLIENTS = 10_000
const PEER = '127.0.0.1'
const FLEXIBLE = 'rate-limiter-flexible, one consume'
const BANNED = `${OURS}, banned client`

/** A request as an adapter hands it over: headers behind a `get`, a new object each time. */
class Request implements GuardRequest {
  readonly method = 'GET'
  readonly url = '/products/17?sort=price'
  readonly headers: { get(name: string): string | undefined }

  constructor(headers: Readonly<Record<string, string>>) {
    this.headers = { get: (name) => headers[name] }
  }
}

/** A counter of a peer's, by addresses that it knows already. */
async function oneConsume(clients: readonly string[]): Promise<Contender> {
  const limiter = new RateLimiterMemory({ points: 1e9, duration: 6_000 })
  for (const ip of clients) await limiter.consume(ip)
  const order = visitsOf(clients)
  let visit = 0
  return {
    name: FLEXIBLE,
    async run(count) {
      let sum = 0
      for (let i = 0; i < count; i++) {
        sum += (await limiter.consume(order[visit] as string)).consumedPoints // inside
        if (++visit === order.length) visit = 0
      }
      return sum
    },
  }
}

function shopGuard(): Guard {
  const denied = [...someCidrs(4, 50_000), ...someCidrs(6, 50_000)]
  const allowed = shuffled([...someAddresses(4, 5_000, 31), ...someAddresses(6, 5_000, 31)], randomOf(3))
  return createGuard({
    clientIp: { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] },
    store: memoryStore({ maxKeys: 65_536 }),
    policies: [allow(allowed), deny(denied), rateLimit({ limit: 60_000, window: '60s' })],
  })
}

/** Everything between a request and its answer, but the server. A process has one guard: so has this one. */
export async function decisionSuite(): Promise<Result> {
  const guard = shopGuard()
  const clients = await strangers(guard, 4)
  const timings = await measure([{ name: OURS, run: decisions(guard, clients, 'allow') }, await oneConsume(clients)], {
    rounds: 11,
  })
  const ratio = medianOf(timings, OURS) / medianOf(timings, FLEXIBLE)
  return {
    title: 'A whole decision',
    notes: [
      'guard.check on a new request object: the client from X-Forwarded-For behind a trusted peer, an allow list of 10,000, a deny list of 100,000, one sliding-window limit, 10,000 clients on no list; the answer frozen. Against the counting alone, by an address that is there already.',
    ],
    tables: [timingTable('One decision', timings)],
    verdicts: [
      { claim: 'a whole decision < one consume of rate-limiter-flexible', figure: times(ratio), pass: ratio < 1 },
    ],
  }
}

/** The same for an IPv6 client, and for a banned one. */
export async function otherDecisionsSuite(): Promise<Result> {
  const guard = shopGuard()
  const v6 = await strangers(guard, 6)
  const v4 = await strangers(guard, 4)
  for (const ip of v4) await guard.ban(ip, { for: '1d' })
  const timings = await measure(
    [
      { name: OURS, run: decisions(guard, v6, 'allow') },
      { name: BANNED, run: decisions(guard, v4, 'deny') },
      await oneConsume(v4),
    ],
    { rounds: 11 },
  )
  return {
    title: 'Other decisions',
    notes: [
      'The same guard, asked for IPv6 clients that are let in and for IPv4 clients that are banned; 10,000 bans are held.',
    ],
    tables: [timingTable('One decision, for an IPv6 client', timings)],
    verdicts: [],
  }
}

function decisions(guard: Guard, clients: readonly string[], expected: Decision['action']): Contender['run'] {
  const headers = visitsOf(clients).map((ip) => ({
    'x-forwarded-for': ip,
    host: 'shop.example',
    accept: 'text/html',
    'user-agent': 'Mozilla/5.0',
  }))
  const info = { peer: PEER }
  let visit = 0
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const decision = guard.check(new Request(headers[visit] as (typeof headers)[number]), info) // inside
      if (decision instanceof Promise || decision.action !== expected)
        throw new Error(`A decision was not ${expected} at once.`)
      sum += decision.limits?.[0]?.remaining ?? 1
      if (++visit === headers.length) visit = 0
    }
    return sum
  }
}

/** Clients in another order than the one in which they came first, or memory would be read as it was written. */
function visitsOf(clients: readonly string[]): string[] {
  return shuffled(clients, randomOf(17))
}

/** Addresses that are on no list of the guard. */
async function strangers(guard: Guard, family: 4 | 6): Promise<string[]> {
  const found: string[] = []
  for (const ip of someAddresses(family, CLIENTS * 2, 41)) {
    const decision = await guard.check(new Request({ 'x-forwarded-for': ip }), { peer: PEER })
    if (decision.action === 'allow' && decision.policy === undefined) found.push(ip)
  }
  return found.slice(0, CLIENTS)
}
