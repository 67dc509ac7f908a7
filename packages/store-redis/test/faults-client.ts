import type { EventEmitter } from 'node:events'
import type { RedisClient } from '@ipguard/store-redis'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster, createSentinel } from 'redis'

export const FAULT_CLIENTS = ['node-redis', 'ioredis'] as const
export type FaultClient = (typeof FAULT_CLIENTS)[number]

/** Where the servers of a fault are. */
export type Place =
  | { readonly kind: 'single'; readonly port: number }
  | { readonly kind: 'sentinel'; readonly name: string; readonly ports: readonly number[] }
  | { readonly kind: 'cluster'; readonly ports: readonly number[] }

export interface WatchedClient {
  readonly client: RedisClient
  /**
   * The most commands at any time since the last call that were given to the client and had no answer: whatever queue it keeps holds no
   * more than these.
   */
  readonly peak: () => number
}

const host = '127.0.0.1'

/**
 * A client with the settings that its makers chose: offline queue, retries and resends as they come. It is told to connect, and may
 * do that as long as it likes. `onReady`: it says that it is connected.
 */
export function watchedClient(make: FaultClient, place: Place, onReady: () => void): WatchedClient {
  const client = make === 'ioredis' ? ioRedis(place) : nodeRedis(place)
  const events: EventEmitter = client
  // What fails is seen in the calls.
  events.on('error', () => {})
  // The clients' own words for it: of a connection or of sentinels that name another primary; of a node of a cluster.
  for (const name of ['ready', 'node-ready']) events.on(name, onReady)
  let waiting = 0
  let most = 0
  const name = make === 'ioredis' ? 'call' : 'sendCommand'
  const original = Reflect.get(client, name) as (...args: unknown[]) => Promise<unknown> // a method of both
  Reflect.set(client, name, (...args: unknown[]) => {
    most = Math.max(most, ++waiting)
    return Reflect.apply(original, client, args).finally(() => {
      waiting--
    })
  })
  return {
    client,
    peak: () => {
      const peak = most
      most = waiting
      return peak
    },
  }
}

function nodeRedis(place: Place): RedisClient & EventEmitter {
  const client =
    place.kind === 'single'
      ? createClient({ socket: { host, port: place.port } })
      : place.kind === 'sentinel'
        ? createSentinel({ name: place.name, sentinelRootNodes: place.ports.map((port) => ({ host, port })) })
        : createCluster({ rootNodes: place.ports.map((port) => ({ socket: { host, port } })) })
  client.connect().catch(() => {})
  return client as RedisClient & EventEmitter // all three are
}

function ioRedis(place: Place): RedisClient & EventEmitter {
  if (place.kind === 'single') return new Redis({ host, port: place.port })
  const nodes = place.ports.map((port) => ({ host, port }))
  return place.kind === 'sentinel' ? new Redis({ name: place.name, sentinels: nodes }) : new Cluster(nodes)
}
