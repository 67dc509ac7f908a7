import { type Store, systemClock } from '@ipguard/core'
import { createAnnouncer } from './announcer.ts'
import { connectionOf, subscriberOf } from './connect-client.ts'
import { createEntryFeed } from './entry-feed.ts'
import { createHitBatcher } from './hit-batcher.ts'
import { createKeys } from './keys.ts'
import { createRedisEntries } from './redis-entries.ts'
import { createRedisRecords } from './redis-records.ts'
import { checkRedisStoreOptions, type RedisStoreOptions } from './redis-store-options.ts'

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
  })
  const announcer = createAnnouncer({ connection, keys, clock, time, onChange: () => feed.look() })
  const batcher = createHitBatcher({
    connection,
    keys,
    clock,
    onReplies: (hits, replies) => announcer.heard(hits, replies),
  })
  const entries = createRedisEntries({ connection, keys, clock, time, feed, announcer })
  const records = createRedisRecords({ connection, keys, clock })

  return {
    name: 'redis',
    hit: (hits, { commit }) => (hits.length === 0 ? [] : batcher.send(hits, commit)),
    ...records,
    entries,
    async close() {
      feed.close()
    },
  }
}
