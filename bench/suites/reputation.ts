import { createGuard, type Guard, type GuardRequest, type Policy, rateLimit, reputation } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { LRUCache } from 'lru-cache'
import { someAddresses } from '../harness/lists.ts'
import { type Contender, measure } from '../harness/measure.ts'
import { randomOf, shuffled } from '../harness/random.ts'
import { atMost, medianOf, number, type Result, times, timingTable } from '../harness/result.ts'

const CLIENTS = 10_000
const WITH = 'ipguard, limit and a known verdict'
const WITHOUT = 'ipguard, limit'
const PEER = 'lru-cache, one get with a TTL'

/** What a verdict that is known already adds to a decision in memory. */
export async function reputationSuite(): Promise<Result> {
  const clients = [...new Set(someAddresses(4, CLIENTS * 2, 83))].slice(0, CLIENTS)
  const order = shuffled(clients, randomOf(19))
  const limit = (): Policy => rateLimit({ limit: 60_000, window: '60s' })
  let asked = 0
  const source = {
    name: 'source',
    async lookup(): Promise<{ score: number }> {
      asked++
      return { score: 10 }
    },
  }
  const without = guardOf([limit()])
  const known = guardOf([limit(), reputation({ providers: [source], challenge: 50, deny: 80, includePrivate: true })])
  for (const [i, ip] of clients.entries()) {
    await known.check(requestOf(), { peer: ip })
    // the queue of look-ups is bounded
    if (i % 100 === 99) while (asked <= i) await turn()
  }
  const timings = await measure(
    [
      { name: WITHOUT, run: decisions(without, order) },
      { name: WITH, run: decisions(known, order) },
      { name: PEER, run: gets(clients, order) },
    ],
    { rounds: 15 },
  )
  if (asked !== CLIENTS) throw new Error(`${asked} look-ups for ${CLIENTS} clients.`)
  const added = medianOf(timings, WITH) - medianOf(timings, WITHOUT)
  const ratio = added / medianOf(timings, PEER)
  return {
    title: 'A known verdict',
    notes: [
      `guard.check on a new request object, one sliding-window limit in memory, 10,000 IPv4 clients; with and without a reputation policy that knows a verdict for every client, and lru-cache with ttl (ttlResolution 1, its default) asked for the same addresses. Added: ${number(added)} ns.`,
    ],
    tables: [timingTable('One decision', timings)],
    verdicts: [
      { ...atMost('a known verdict adds, in gets of lru-cache with a TTL,', ratio, 2, 'x'), figure: times(ratio) },
    ],
  }
}

const guardOf = (policies: readonly Policy[]): Guard =>
  createGuard({ store: memoryStore({ maxKeys: 65_536 }), policies })

const headers = new Headers()
const requestOf = (): GuardRequest => ({ method: 'GET', url: '/', headers })

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function decisions(guard: Guard, order: readonly string[]): Contender['run'] {
  const infos = order.map((peer) => ({ peer }))
  let visit = 0
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const decision = guard.check(requestOf(), infos[visit])
      if (decision instanceof Promise || decision.action !== 'allow' || decision.pending)
        throw new Error('A decision was not an allow at once, with the verdict known.')
      sum += decision.at & 1
      if (++visit === infos.length) visit = 0
    }
    return sum
  }
}

function gets(clients: readonly string[], order: readonly string[]): Contender['run'] {
  const cache = new LRUCache<string, { score: number }>({ max: 65_536, ttl: 3_600_000 })
  for (const ip of clients) cache.set(ip, { score: 10 })
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
