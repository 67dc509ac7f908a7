import { createGuard, type Decision, type Guard, type Provider, reputation } from '@ipguard/core'
import { providerFetch } from '@ipguard/providers'
import { redisStore } from '@ipguard/store-redis'
import { serveOrders } from '@ipguard/tools'
import { createClient } from 'redis'
import { handClock } from './hand-clock.ts'

/** One of the processes that share a Redis and the quota of a source: does what the test says, one message after another. */

export interface Opening {
  readonly prefix: string
  /** Where the source is. */
  readonly url: string
  readonly quota?: Provider['quota']
  readonly ttl?: Provider['ttl']
  readonly wait?: boolean
  /** Time stands still until the test moves it; epoch ms. Absent: the system's. */
  readonly time?: number
}

/** How many decisions of each kind. */
export interface Tally {
  readonly allow: number
  readonly deny: number
  readonly pending: number
  readonly degraded: number
}

const port = Number(process.argv[2])
const client = createClient({ socket: { host: '127.0.0.1', port }, disableOfflineQueue: true })
client.on('error', () => {})
await client.connect()
const clock = handClock(0)
let guard: Guard | undefined

function opened(): Guard {
  if (!guard) throw new Error('No guard was opened in this process.')
  return guard
}

/** A new request each time: the same one is decided once. */
async function check(ip: string): Promise<Decision> {
  return opened().check({ method: 'GET', url: '/', headers: new Headers() }, { peer: ip })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const orders = {
  async open({ prefix, url, quota, ttl, wait = false, time }: Opening): Promise<void> {
    if (time !== undefined) clock.moveTo(time)
    const source: Provider = {
      name: 'source',
      ...(quota && { quota }),
      ...(ttl && { ttl }),
      async lookup(ip, { signal }) {
        const answer = await providerFetch(`${url}/?ip=${encodeURIComponent(ip)}`, { signal })
        const { score } = answer.json() as { score: number } // the test's own source
        return score > 0 ? { score, categories: ['abuse'] } : undefined
      },
    }
    guard = createGuard({
      deadline: '20s',
      ...(time !== undefined && { clock }),
      store: redisStore({ client, prefix, ...(time !== undefined && { clock }) }),
      policies: [reputation({ providers: [source], deny: 80, wait })],
    })
  },
  async check(ips: readonly string[]): Promise<Tally> {
    const decisions = await Promise.all(ips.map(check))
    const count = (is: (decision: Decision) => unknown): number => decisions.filter(is).length
    return {
      allow: count(({ action }) => action === 'allow'),
      deny: count(({ action }) => action === 'deny'),
      pending: count(({ pending }) => pending),
      degraded: count(({ degraded }) => degraded),
    }
  },
  /** Whether nothing is being looked up any more, once everything has happened that needs no time to pass. */
  async idle(): Promise<boolean> {
    for (const end = performance.now() + 20; ; await turn()) {
      const { inFlight = 0, queued = 0 } = opened().metrics().reputation?.source ?? {}
      if (inFlight + queued === 0) return true
      if (performance.now() > end) return false
    }
  },
  moveTo: (time: number): void => clock.moveTo(time),
  metrics: () => opened().metrics().reputation?.source,
}

export type Orders = typeof orders

serveOrders(orders)
