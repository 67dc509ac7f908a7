import { type Counter, type CounterKey, type Hit, parseAddress, rateLimit, type Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import type { ClientName, Connections } from '../harness/redis-connections.ts'
import { OURS } from '../harness/result.ts'
import { type Contender, contender, LIMIT, prefixOf, WINDOW } from './redis-contender.ts'

export const FIXED = `${OURS}, fixed window`
export const STRICT = `${OURS}, sliding window and ladder`
export const CLIENTS_OF_OURS = ['node-redis', 'ioredis'] as const satisfies readonly ClientName[]

export const LADDER = [
  { name: 'graylist', ban: '24h' },
  { name: 'blacklist', ban: '30d', after: 3 },
] as const

const COUNTERS: Readonly<Record<string, Counter>> = {
  [FIXED]: counterOf({ limit: LIMIT, window: WINDOW, algorithm: 'fixed-window' }),
  [STRICT]: counterOf({ limit: LIMIT, window: WINDOW, ladder: LADDER }),
}

/** The name of the contender that sends what this product sends for one check. */
export function bareOf(product: string): string {
  return `one EVALSHA of ${product}`
}

/** Through `store.hit`, with each client, each on a connection of its own. */
export async function ours(connections: Connections, ips: readonly string[]): Promise<Contender[]> {
  const keys = ips.map(keyOf)
  const made: Contender[] = []
  for (const client of CLIENTS_OF_OURS) {
    for (const [product, counter] of Object.entries(COUNTERS)) {
      const store = redisStore({
        client: client === 'node-redis' ? await connections.nodeRedis() : await connections.ioredis(),
        prefix: prefixOf(product, client),
      })
      await checkCounts(store, counter)
      made.push(contender(product, client, (i) => hit(store, counter, keys[i] as CounterKey))) // inside
    }
  }
  return made
}

/** What the store sends for one check, sent by the client itself: no batch, no promise of ours, no reading of the reply. */
export async function bareOurs(connections: Connections, ips: readonly string[]): Promise<Contender[]> {
  const made: Contender[] = []
  for (const client of CLIENTS_OF_OURS) {
    for (const [product, counter] of Object.entries(COUNTERS)) {
      const ip = '203.0.113.7'
      const command = await recorded(connections, prefixOf(bareOf(product), client), async (store) => {
        await hit(store, counter, keyOf(ip))
      })
      const at = command.findIndex((word) => word.includes(ip))
      const key = command[at] as string // what is looked for is there: the store names a client's key after it
      const commands = ips.map((other) => command.with(at, key.replace(ip, other)))
      const send = await connections.send(client)
      made.push(contender(bareOf(product), client, (i) => send(commands[i] as readonly string[]))) // inside
    }
  }
  return made
}

function hit(store: Store, counter: Counter, key: CounterKey): Promise<unknown> {
  // as a limit makes it for every request
  const hits: Hit[] = counter.ladder
    ? [{ counter, key, limit: LIMIT, cost: 1, exempt: false, jitter: 0 }]
    : [{ counter, key, limit: LIMIT, cost: 1 }]
  return store.hit(hits, { now: 0, commit: 'all' }) as Promise<unknown> // this store always waits
}

/** The command by which a store counts one check. */
async function recorded(
  connections: Connections,
  prefix: string,
  work: (store: Store) => Promise<void>,
): Promise<readonly string[]> {
  const client = await connections.nodeRedis()
  const commands: (readonly string[])[] = []
  const store = redisStore({
    client: new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: readonly unknown[]): unknown => {
          if (name === 'sendCommand') commands.push(args[0] as readonly string[]) // its first argument
          return Reflect.apply(value, target, args)
        }
      },
    }),
    prefix,
  })
  await work(store)
  const command = commands.find(([name]) => name === 'EVALSHA')
  if (!command) throw new Error('The store counted without a script.')
  return command
}

async function checkCounts(store: Store, counter: Counter): Promise<void> {
  for (let left = LIMIT - 1; left > LIMIT - 4; left--) {
    const [reply] = (await hit(store, counter, keyOf('203.0.113.7'))) as Awaited<ReturnType<Store['hit']>>
    if (!reply?.admitted || reply.remaining !== left)
      throw new Error(`The store left ${reply?.remaining}, not ${left}.`)
  }
}

function counterOf(options: Parameters<typeof rateLimit>[0]): Counter {
  const counter = rateLimit(options).counter?.(false)
  if (!counter) throw new Error('A limit has no counter.')
  return counter
}

function keyOf(ip: string): CounterKey {
  const address = parseAddress(ip)
  if (!address) throw new Error(`${ip} is no address.`)
  const { a, b, c, d } = address
  return { kind: 4, length: 32, a, b, c, d, text: ip }
}
