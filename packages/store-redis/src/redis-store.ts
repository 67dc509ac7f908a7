import { type Store, systemClock } from '@ipguard/core'
import { createAnnouncer } from './announcer.ts'
import { connectionOf, subscriberOf } from './connect-client.ts'
import { createEntryFeed } from './entry-feed.ts'
import { createHitBatcher } from './hit-batcher.ts'
import { createInspector } from './inspect.ts'
import { createKeys } from './keys.ts'
import { createLeasingCounter } from './leases.ts'
import { createOwnBans } from './own-bans.ts'
import { createRedisEntries } from './redis-entries.ts'
import { createRedisRecords } from './redis-records.ts'
import { checkRedisStoreOptions, type RedisStoreOptions } from './redis-store-options.ts'
import { createSlotSplitter } from './slot-splitter.ts'

/** How long `close` waits at most for what is still to be listed, in ms. */
const PATIENCE = 1000

/**
 * One truth for many processes, in Redis or Valkey: single, by Sentinel or as a Cluster, with the client that the application has already.
 *
 * All hits of a client, with its strikes and its ban, are one atomic step on the server, by the server's clock. Checks of one event-loop
 * turn travel as one call. Bans and managed lists are copied into every process, so a banned client costs no round trip. What happens
 * when Redis is away is the guard's business; the store itself rejects at once when the client is not connected, and sends nothing twice.
 *
 * @example
 * const client = await createClient({ url: 'redis://127.0.0.1:6379', disableOfflineQueue: true }).connect()
 * createGuard({ store: redisStore({ client }), policies: [rateLimit({ limit: 60, window: '60s' })] })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_REDIS_CLIENT_INVALID`
 */
export function redisStore(options: RedisStoreOptions): Store {
  checkRedisStoreOptions(options)
  const { client, clock, prefix = 'ipguard' } = options
  const connection = connectionOf(client)
  const subscriber = options.subscriber && subscriberOf(options.subscriber, client)
  const keys = createKeys(prefix)
  const timer = clock ?? systemClock()
  const time = (): number => timer.now()
  const feed = createEntryFeed({
    connection,
    keys,
    subscriber,
    onLook: () => void announcer.flush().catch(() => {}),
    onLost: () => announcer.forget(),
  })
  const ownBans = createOwnBans({ connection, keys, clock })
  const announcer = createAnnouncer({
    connection,
    keys,
    ownBans,
    clock,
    time,
    onChange: () => feed.look(),
    started: () => feed.started(),
  })
  const batcher = createHitBatcher({
    connection,
    keys,
    clock,
    onReplies: (hits, replies) => announcer.heard(hits, replies),
  })
  const counter = createLeasingCounter(connection.cluster ? createSlotSplitter(batcher, keys) : batcher, time)
  const entries = createRedisEntries({ connection, keys, ownBans, clock, time, feed, announcer })
  const records = createRedisRecords({ connection, keys, clock })

  const inspector = createInspector({ connection, keys, prefix, time, hasClock: clock !== undefined })

  return {
    name: 'redis',
    hit(hits, { commit }) {
      if (hits.length === 0) return []
      for (const hit of hits) inspector.met(hit.counter)
      return counter.send(hits, commit)
    },
    inspect: () => inspector.inspect(),
    ...records,
    entries,
    async close() {
      feed.close()
      // A ban that this process alone knows would else be listed when its client is met again.
      let timer: ReturnType<typeof setTimeout> | undefined
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE)
      })
      await Promise.race([announcer.flush().catch(() => {}), patience])
      clearTimeout(timer)
    },
  }
}
