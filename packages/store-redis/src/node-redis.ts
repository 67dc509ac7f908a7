import type { Finding } from '@ipguard/core'
import type { Connection, Subscriber } from './connection.ts'
import type { NodeRedisClient, NodeRedisCluster, NodeRedisSentinel } from './redis-client.ts'
import { slotOf } from './slot-of.ts'

/** The scripts' replies are texts and numbers, whatever the application has its client make of replies. */
const PLAIN = { typeMapping: {} }

export function nodeRedisConnection(client: NodeRedisClient): Connection {
  const send = (args: readonly string[]): Promise<unknown> => client.sendCommand(args as string[], PLAIN) // it does not write to them
  return {
    name: 'node-redis',
    cluster: false,
    ready: () => client.isReady,
    send: (_key, args) => send(args),
    sendToAll: async (args) => [await send(args)],
    findings: () => queueFindings(client.options, 'createClient'),
  }
}

export function nodeRedisSentinelConnection(client: NodeRedisSentinel): Connection {
  const send = (args: readonly string[]): Promise<unknown> => client.sendCommand(false, args as string[], PLAIN) // as above
  return {
    name: 'node-redis sentinel',
    cluster: false,
    ready: () => client.isReady,
    send: (_key, args) => send(args),
    sendToAll: async (args) => [await send(args)],
    findings: () => [],
  }
}

export function nodeRedisClusterConnection(client: NodeRedisCluster): Connection {
  return {
    name: 'node-redis cluster',
    cluster: true,
    ready(key) {
      if (!client.isOpen) return false
      const node = client.slots[slotOf(key)]?.master
      // A node is connected when it is first asked; while that goes on, or after it, it says whether it is there.
      return node !== undefined && (node.client === undefined || isReady(node.client))
    },
    send: (key, args) => client.sendCommand(key, false, args as string[], PLAIN), // as above
    sendToAll: (args) =>
      Promise.all(
        client.masters.flatMap(({ client: node }) =>
          isClient(node) && node.isReady ? [node.sendCommand(args as string[], PLAIN)] : [],
        ),
      ),
    findings: () => [],
  }
}

export function nodeRedisSubscriber(client: Pick<NodeRedisClient, 'subscribe' | 'unsubscribe'>): Subscriber {
  return {
    subscribe: async (channel, heard) => void (await client.subscribe(channel, () => heard())),
    unsubscribe: async (channel) => void (await client.unsubscribe(channel)),
  }
}

/** A node's client may be a promise of one. */
function isReady(client: unknown): boolean {
  return !isClient(client) || client.isReady
}

function isClient(client: unknown): client is NodeRedisClient {
  return typeof client === 'object' && client !== null && 'isReady' in client
}

function queueFindings(options: object | undefined, call: string): Finding[] {
  const { disableOfflineQueue } = (options ?? {}) as { disableOfflineQueue?: boolean } // of node-redis
  if (disableOfflineQueue) return []
  return [
    {
      code: 'IPGUARD_REDIS_OFFLINE_QUEUE',
      message: `The node-redis client keeps commands in a queue without an end while it is not connected. ipguard sends none then, but the rest of your application does. Write ${call}({ disableOfflineQueue: true }).`,
    },
  ]
}
