import { type EventEmitter, once } from 'node:events'
import type { RedisClient } from '@ipguard/store-redis'
import { Cluster as IoCluster6, Redis as IoRedis6 } from 'ioredis'
import { Cluster as IoCluster5, Redis as IoRedis5 } from 'ioredis5'
import {
  createClient as createClient6,
  createCluster as createCluster6,
  createSentinel as createSentinel6,
} from 'redis'
import {
  createClient as createClient5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from 'redis5'

/** A connected client, and how to end it. */
export interface MadeClient {
  readonly client: RedisClient
  readonly close: () => void | Promise<void>
}

export type ClientMaker<Place> = (place: Place) => Promise<MadeClient>

/** Ports of the cluster's nodes. */
export interface ClusterPlace {
  readonly ports: readonly number[]
}

export interface SentinelPlace {
  readonly name: string
  readonly sentinelPorts: readonly number[]
}

const HOST = '127.0.0.1'
/** A lost connection is seen in the calls that fail. */
const quiet = (): void => {}

/** Of one server, by its port: every client that the store works with. */
export const singleClients: Readonly<Record<string, ClientMaker<number>>> = {
  'node-redis 6': async (port) => {
    const client = createClient6({ socket: { host: HOST, port }, disableOfflineQueue: true })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'node-redis 6, RESP2': async (port) => {
    const client = createClient6({ socket: { host: HOST, port }, disableOfflineQueue: true, RESP: 2 })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'node-redis 5': async (port) => {
    const client = createClient5({ socket: { host: HOST, port }, disableOfflineQueue: true })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'node-redis 5, RESP3': async (port) => {
    const client = createClient5({ socket: { host: HOST, port }, disableOfflineQueue: true, RESP: 3 })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'ioredis 6': (port) => ready(new IoRedis6({ host: HOST, port, enableOfflineQueue: false })),
  'ioredis 6, numbers as texts': (port) =>
    ready(new IoRedis6({ host: HOST, port, enableOfflineQueue: false, stringNumbers: true })),
  'ioredis 5': (port) => ready(new IoRedis5({ host: HOST, port, enableOfflineQueue: false })),
}

/** Of a cluster, by the ports of its nodes. */
export const clusterClients: Readonly<Record<string, ClientMaker<ClusterPlace>>> = {
  'node-redis 6': async ({ ports }) => {
    const client = createCluster6({ rootNodes: ports.map((port) => ({ socket: { host: HOST, port } })) })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'node-redis 5': async ({ ports }) => {
    const client = createCluster5({ rootNodes: ports.map((port) => ({ socket: { host: HOST, port } })) })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'ioredis 6': ({ ports }) => ready(new IoCluster6(ports.map((port) => ({ host: HOST, port })))),
  'ioredis 5': ({ ports }) => ready(new IoCluster5(ports.map((port) => ({ host: HOST, port })))),
}

/** Of the master that the sentinels name. */
export const sentinelClients: Readonly<Record<string, ClientMaker<SentinelPlace>>> = {
  'node-redis 6': async ({ name, sentinelPorts }) => {
    const client = createSentinel6({ name, sentinelRootNodes: sentinelPorts.map((port) => ({ host: HOST, port })) })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'node-redis 5': async ({ name, sentinelPorts }) => {
    const client = createSentinel5({ name, sentinelRootNodes: sentinelPorts.map((port) => ({ host: HOST, port })) })
    await client.on('error', quiet).connect()
    return { client, close: () => client.destroy() }
  },
  'ioredis 6': ({ name, sentinelPorts }) =>
    ready(new IoRedis6({ name, sentinels: sentinelPorts.map((port) => ({ host: HOST, port })) })),
  'ioredis 5': ({ name, sentinelPorts }) =>
    ready(new IoRedis5({ name, sentinels: sentinelPorts.map((port) => ({ host: HOST, port })) })),
}

async function ready<T extends EventEmitter & { disconnect(): void }>(
  client: T,
): Promise<{ readonly client: T; readonly close: () => void }> {
  client.on('error', quiet)
  await once(client, 'ready')
  return { client, close: () => client.disconnect() }
}
