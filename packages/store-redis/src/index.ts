export type {
  IoRedisClient,
  IoRedisCluster,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisClient,
} from './redis-client.ts'
export { redisStore } from './redis-store.ts'
export type { RedisStoreOptions } from './redis-store-options.ts'
