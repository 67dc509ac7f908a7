import { createRequire } from 'node:module'
import { type RedisReply, RedisStore } from 'rate-limit-redis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { CLIENTS, type ClientName, type Connections } from '../harness/redis-connections.ts'
import { bareWindows } from '../limit/window-script.ts'
import { type Contender, contender, LIMIT, prefixOf, WINDOW } from './redis-contender.ts'

export const RATE_LIMIT_REDIS = 'rate-limit-redis'
export const FLEXIBLE = 'rate-limiter-flexible'
const FASTIFY = '@fastify/rate-limit store'
const BARE = 'one EVALSHA, INCR and PEXPIRE'
const BATCHED = 'limit: the same, one for a turn'
/** What one command of the limit carries. */
const CAP = 64

type Check = Contender['check']

interface CallbackStore {
  incr(
    ip: string,
    callback: (error: Error | null, state: { readonly current: number } | null) => void,
    timeWindow: number,
    max: number,
  ): void
}

/** Not exported by its package; pinned, so the path holds. */
const require = createRequire(import.meta.url)
const createFastifyStore = require('@fastify/rate-limit/store/RedisStore.js') as new (
  continueExceeding: boolean,
  exponentialBackoff: boolean,
  redis: unknown,
  key: string,
) => CallbackStore // its constructor, as its source has it

/** Every peer with every client that it takes, each on a connection of its own. */
export async function peers(connections: Connections, ips: readonly string[]): Promise<Contender[]> {
  const made: Contender[] = []
  for (const client of CLIENTS) {
    made.push(
      contender(RATE_LIMIT_REDIS, client, await rateLimitRedis(connections, client, ips)),
      contender(FLEXIBLE, client, await flexible(connections, client, ips)),
    )
    if (client !== 'node-redis') made.push(contender(FASTIFY, client, await fastify(connections, client, ips)))
  }
  return made
}

/** The cheapest script for each check, and for all checks of a turn of the event loop. */
export async function limits(connections: Connections, ips: readonly string[]): Promise<Contender[]> {
  const made: Contender[] = []
  for (const client of CLIENTS) {
    const bare = await bareWindows(await connections.send(client), WINDOW, CAP)
    const [one, batched] = [prefixOf('bare', client), prefixOf('limit', client)]
    made.push(contender(BARE, client, (i) => bare.one(`${one}:${ips[i]}`)))
    // one command has nothing to be pipelined with
    if (client !== 'ioredis, pipelining')
      made.push(contender(BATCHED, client, (i) => bare.batched(`${batched}:${ips[i]}`)))
  }
  return made
}

async function rateLimitRedis(connections: Connections, client: ClientName, ips: readonly string[]): Promise<Check> {
  const send = await connections.send(client)
  const store = new RedisStore({
    prefix: prefixOf('rlr', client),
    sendCommand: (...command) => send(command) as Promise<RedisReply>, // the reply as it came
  })
  await store.init({ windowMs: WINDOW } as Parameters<RedisStore['init']>[0]) // all that it reads
  return (i) => store.increment(ips[i] as string) // inside, here and below
}

async function flexible(connections: Connections, client: ClientName, ips: readonly string[]): Promise<Check> {
  const options = { keyPrefix: prefixOf('rlf', client), points: LIMIT, duration: WINDOW / 1000 }
  const limiter =
    client === 'node-redis'
      ? new RateLimiterRedis({ ...options, storeClient: await connections.nodeRedis(), useRedisPackage: true })
      : new RateLimiterRedis({ ...options, storeClient: await connections.ioredis(client !== 'ioredis') })
  return (i) => limiter.consume(ips[i] as string)
}

/** Its plugin waits for the store in the same way. */
async function fastify(connections: Connections, client: ClientName, ips: readonly string[]): Promise<Check> {
  const store = new createFastifyStore(
    false,
    false,
    await connections.ioredis(client !== 'ioredis'),
    prefixOf('frl', client),
  )
  return (i) =>
    new Promise((resolve, reject) => {
      store.incr(ips[i] as string, (error, state) => (error ? reject(error) : resolve(state)), WINDOW, LIMIT)
    })
}
