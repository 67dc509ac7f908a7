import { describe, IpGuardError } from '@ipguard/core'
import type { Connection, Subscriber } from './connection.ts'
import { ioRedisClusterConnection, ioRedisConnection, ioRedisSubscriber } from './ioredis.ts'
import {
  nodeRedisClusterConnection,
  nodeRedisConnection,
  nodeRedisSentinelConnection,
  nodeRedisSubscriber,
} from './node-redis.ts'
import type {
  IoRedisClient,
  IoRedisCluster,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisClient,
} from './redis-client.ts'

const CHOICES =
  'a client of node-redis 5 or 6 (createClient, createCluster, createSentinel) or of ioredis 5 or 6 (new Redis, new Cluster)'

/** @throws {IpGuardError} `IPGUARD_REDIS_CLIENT_INVALID` for what is no client, and for a connection that only listens. */
export function connectionOf(client: RedisClient): Connection {
  if (isIoRedis(client)) {
    if (client.isCluster === true) return ioRedisClusterConnection(client as IoRedisCluster) // it says so
    if (client.mode !== undefined && client.mode !== 'normal') throw listening()
    return ioRedisConnection(client)
  }
  if (hasMethods(client, ['sendCommand', 'nodeClient'])) return nodeRedisClusterConnection(client as NodeRedisCluster) // by its methods, here and below
  if (hasMethods(client, ['sendCommand', 'getMasterNode']))
    return nodeRedisSentinelConnection(client as NodeRedisSentinel)
  if (hasMethods(client, ['sendCommand', 'duplicate']) && 'isReady' in client) {
    const plain = client as NodeRedisClient
    if (plain.isPubSubActive) throw listening()
    return nodeRedisConnection(plain)
  }
  if (hasMethods(client, ['sendCommand', 'execute'])) {
    throw new IpGuardError(
      'IPGUARD_REDIS_CLIENT_INVALID',
      'redisStore.client is a pool, which queues what it cannot send. One connection carries everything that ipguard sends: write createClient().',
    )
  }
  throw unknown('redisStore.client', client)
}

/** @throws {IpGuardError} `IPGUARD_REDIS_CLIENT_INVALID` */
export function subscriberOf(subscriber: RedisClient, client: RedisClient): Subscriber {
  if (subscriber === client) {
    throw new IpGuardError(
      'IPGUARD_REDIS_CLIENT_INVALID',
      'redisStore.subscriber is the same connection as client, and one that listens can send no commands. Write subscriber: client.duplicate(), and connect it too.',
    )
  }
  if (isIoRedis(subscriber)) return ioRedisSubscriber(subscriber)
  if (hasMethods(subscriber, ['subscribe', 'unsubscribe', 'sendCommand']))
    return nodeRedisSubscriber(subscriber as NodeRedisClient)
  throw unknown('redisStore.subscriber', subscriber)
}

function isIoRedis(client: RedisClient): client is IoRedisClient {
  return hasMethods(client, ['call', 'subscribe']) && 'status' in client
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function')
  )
}

function listening(): IpGuardError {
  return new IpGuardError(
    'IPGUARD_REDIS_CLIENT_INVALID',
    'redisStore.client is a connection that listens, and can send no commands. Pass it as subscriber, and another one as client.',
  )
}

function unknown(option: string, received: unknown): IpGuardError {
  return new IpGuardError('IPGUARD_REDIS_CLIENT_INVALID', `${option} is ${describe(received)}. Write ${CHOICES}.`)
}
