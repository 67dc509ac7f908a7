import type { Finding } from '@ipguard/core'
import type { Connection, Copies, Subscriber } from './connection.ts'
import { createNodeWatch } from './node-watch.ts'
import type { NodeRedisClient, NodeRedisCluster, NodeRedisCopies, NodeRedisSentinel } from './redis-client.ts'
import { slotOf } from './slot-of.ts'

/**
 * The scripts' replies are texts and numbers, whatever the application has its client make of replies. No time limit of the client's for
 * each command: the guard has one for each decision, and never has many unanswered.
 */
const PLAIN = { typeMapping: {}, timeout: undefined }

export function nodeRedisConnection(client: NodeRedisClient): Connection {
  return {
    ...oneServer(client, (args) => client.sendCommand(args as string[], PLAIN)), // it does not write to them, here and below
    name: 'node-redis',
    findings: () => queueFindings(client.options, 'createClient'),
  }
}

export function nodeRedisSentinelConnection(client: NodeRedisSentinel): Connection {
  return {
    ...oneServer(client, (args) => client.sendCommand(false, args as string[], PLAIN)),
    name: 'node-redis sentinel',
    findings: () => [],
  }
}

/** What a client has that sends everything to one server, whichever that is. */
function oneServer(
  client: NodeRedisCopies & { readonly isReady: boolean },
  send: (args: readonly string[]) => Promise<unknown>,
): Omit<Connection, 'name' | 'findings'> {
  return {
    cluster: false,
    writesAtOnce: false,
    ready: () => client.isReady,
    inParts: () => false,
    send: (_key, args) => send(args),
    sendToAll: async (args) => [await send(args)],
    copies: copiesOf(client),
  }
}

export function nodeRedisClusterConnection(client: NodeRedisCluster): Connection {
  const watch = createNodeWatch()
  const nodeOf = (key: string): { readonly client?: unknown } | undefined => client.slots[slotOf(key)]?.master
  return {
    name: 'node-redis cluster',
    cluster: true,
    writesAtOnce: false,
    ready(key) {
      if (!client.isOpen) return false
      const node = nodeOf(key)
      // A node is connected when it is first asked; while that goes on, or after it, it says whether it is there.
      return node !== undefined && (node.client === undefined || isReady(node.client)) && !watch.silent(node)
    },
    inParts: () => client.isOpen,
    send: (key, args) => watch.sent(nodeOf(key), client.sendCommand(key, false, args as string[], PLAIN)), // as above
    sendToAll: (args) =>
      Promise.all(
        client.masters.flatMap(({ client: node }) =>
          isClient(node) && node.isReady ? [node.sendCommand(args as string[], PLAIN)] : [],
        ),
      ),
    findings: () => [],
    copies: copiesOf(client),
  }
}

export function nodeRedisSubscriber(client: Pick<NodeRedisClient, 'subscribe' | 'unsubscribe'>): Subscriber {
  return {
    subscribe: async (channel, heard) => void (await client.subscribe(channel, () => heard())),
    unsubscribe: async (channel) => void (await client.unsubscribe(channel)),
  }
}

/** `sendCommand` reads past the copies, so they need the client's own `get`; which would put a prefix of the client's before the key. */
function copiesOf(client: NodeRedisCopies): Copies | undefined {
  const { clientSideCache } = client
  if (!clientSideCache || Reflect.get(client, '_keyPrefix') !== undefined) return undefined
  return {
    async get(key) {
      const held = await client.get(key)
      // The application may have its client make buffers of texts, and a copy of one is an array of bytes.
      return held instanceof Uint8Array ? Buffer.from(held).toString() : held
    },
    forget: (key) => clientSideCache.invalidate(key),
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
