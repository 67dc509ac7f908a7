import { createGuard, type Guard, type GuardRequest, type Policy, policy, rateLimit, reputation } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { LRUCache } from 'lru-cache'
import { someAddresses } from '../harness/lists.ts'
import { type Contender, measure } from '../harness/measure.ts'
import { randomOf, shuffled } from '../harness/random.ts'
import { medianOf, number, type Result, times, timingTable } from '../harness/result.ts'

const CLIENTS = 10_000
const WITH = 'ipguard, limit and a known verdict'
const WITHOUT = 'ipguard, limit'
const PEER = 'ipguard, limit and one get of lru-cache with a TTL'
const ALONE = 'ipguard, a known verdict, alone in a loop'
const BARE = 'lru-cache, one get with a TTL, alone in a loop'

type Context = Parameters<Policy['evaluate']>[0]

/** What a verdict that is known already adds to a decision in memory. */
export async function reputationSuite(): Promise<Result> {
  const clients = [...new Set(someAddresses(4, CLIENTS * 2, 83))].slice(0, CLIENTS)
  const order = shuffled(clients, randomOf(19))
  let asked = 0
  const source = {
    name: 'source',
    async lookup(): Promise<{ score: number }> {
      asked++
      return { score: 10 }
    },
  }
  const cache = new LRUCache<string, { score: number }>({ max: 65_536, ttl: 3_600_000 })
  for (const ip of clients) cache.set(ip, { score: 10 })
  const asking = reputation({
    providers: [source],
    when: ({ method }) => method === 'POST',
    challenge: 50,
    deny: 80,
    includePrivate: true,
  })
  let bound = asking
  const contexts: Context[] = []
  // One guard for all, as a process has one: several would make each other slower, whatever their policies. The method says what is asked.
  const guard = createGuard({
    store: memoryStore({ maxKeys: 65_536 }),
    policies: [
      rateLimit({ limit: 60_000, window: '60s' }),
      {
        ...asking,
        bind(host) {
          bound = asking.bind?.(host) ?? asking
          return bound
        },
      },
      policy({
        name: 'seen',
        when: ({ method }) => method === 'HEAD',
        evaluate: (context) => void contexts.push(context),
      }),
      policy({
        name: 'lru-cache',
        when: ({ method }) => method === 'PUT',
        evaluate({ client }) {
          const known = client && cache.get(client.ip)
          return known && known.score >= 50 ? { action: 'deny' } : undefined
        },
      }),
    ],
  })
  for (const [i, ip] of clients.entries()) {
    await guard.check(requestOf('POST'), { peer: ip })
    // the queue of look-ups is bounded
    if (i % 100 === 99) while (asked <= i) await turn()
  }
  for (const ip of order) await guard.check(requestOf('HEAD'), { peer: ip })
  const timings = await measure(
    [
      { name: WITHOUT, run: decisions(guard, order, 'GET') },
      { name: WITH, run: decisions(guard, order, 'POST') },
      { name: PEER, run: decisions(guard, order, 'PUT') },
      { name: ALONE, run: evaluations(bound, contexts) },
      { name: BARE, run: gets(cache, order) },
    ],
    { rounds: 21 },
  )
  if (asked !== CLIENTS) throw new Error(`${asked} look-ups for ${CLIENTS} clients.`)
  const added = (name: string): number => medianOf(timings, name) - medianOf(timings, WITHOUT)
  const ratio = added(WITH) / added(PEER)
  const alone = medianOf(timings, ALONE) / medianOf(timings, BARE)
  const mixed = added(WITH) / medianOf(timings, BARE)
  return {
    title: 'A known verdict',
    notes: [
      'guard.check on a new request object, one sliding-window limit in memory, 10,000 IPv4 clients; requests that a reputation policy applies to, which knows a verdict for every client, requests that a policy of one lru-cache get with ttl applies to, and requests that neither does. Then the two alone in a loop: what the policy is asked for a request, and the get.',
      `In a decision the verdict adds ${number(added(WITH))} ns and the get ${number(added(PEER))} ns: there, other things take the processor's caches. What the verdict adds there is ${times(mixed)} of the get alone in a loop.`,
    ],
    tables: [timingTable('One decision', timings)],
    verdicts: [
      {
        claim: 'a known verdict costs <= 2 gets of lru-cache with a TTL, both in a decision',
        figure: times(ratio),
        pass: ratio <= 2,
      },
      {
        claim: 'a known verdict costs <= 2 gets of lru-cache with a TTL, both alone in a loop',
        figure: times(alone),
        pass: alone <= 2,
      },
    ],
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'HEAD'

const headers = new Headers()
const requestOf = (method: Method): GuardRequest => ({ method, url: '/', headers })

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function decisions(guard: Guard, order: readonly string[], method: Method): Contender['run'] {
  const infos = order.map((peer) => ({ peer }))
  let visit = 0
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const decision = guard.check(requestOf(method), infos[visit])
      if (decision instanceof Promise || decision.action !== 'allow' || decision.pending)
        throw new Error('A decision was not an allow at once, with the verdict known.')
      sum += decision.at & 1
      if (++visit === infos.length) visit = 0
    }
    return sum
  }
}

function evaluations(asked: Policy, contexts: readonly Context[]): Contender['run'] {
  let visit = 0
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      if (asked.evaluate(contexts[visit] as Context) === undefined) sum++ // inside
      if (++visit === contexts.length) visit = 0
    }
    if (sum !== count) throw new Error('A known verdict was not let pass.')
    return sum
  }
}

function gets(cache: LRUCache<string, { score: number }>, order: readonly string[]): Contender['run'] {
  let visit = 0
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      sum += cache.get(order[visit] as string)?.score ?? 0 // inside
      if (++visit === order.length) visit = 0
    }
    return sum
  }
}
