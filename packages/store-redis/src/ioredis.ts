import type { Finding } from '@ipguard/core'
import type { Connection, Subscriber } from './connection.ts'
import { createNodeWatch } from './node-watch.ts'
import type { IoRedisClient, IoRedisCluster } from './redis-client.ts'
import { slotOf } from './slot-of.ts'

/** `wait`: with `lazyConnect`, it connects at the first command. */
const SENDS: ReadonlySet<string> = new Set(['ready', 'wait'])
/** The same for a node of a cluster. It is connected when it is first asked, and is gone for good when that fails or it is lost. */
const NODE_SENDS: ReadonlySet<string> = new Set([...SENDS, 'connecting', 'connect'])

export function ioRedisConnection(client: IoRedisClient): Connection {
  const send = ([command = '', ...args]: readonly string[]): Promise<unknown> => client.call(command, ...args)
  return {
    name: 'ioredis',
    cluster: false,
    writesAtOnce: true,
    ready: () => SENDS.has(client.status),
    inParts: () => false,
    send: (_key, args) => send(args),
    sendToAll: async (args) => [await send(args)],
    findings: () => settingFindings(client.options),
  }
}

export function ioRedisClusterConnection(client: IoRedisCluster): Connection {
  const watch = createNodeWatch()
  /** The nodes by name; made anew when the client has other ones. */
  let nodes = new Map<string, IoRedisClient>()

  function nodeOf(key: string): IoRedisClient | undefined {
    const name = client.slots[slotOf(key)]?.[0]
    if (name === undefined) return undefined
    const known = nodes.get(name)
    if (known && known.status !== 'end') return known
    nodes = new Map(client.nodes('master').map((node) => [nameOf(node), node]))
    return nodes.get(name)
  }

  return {
    name: 'ioredis cluster',
    cluster: true,
    writesAtOnce: false,
    ready(key) {
      if (client.status === 'wait') return true
      if (client.status !== 'ready') return false
      const node = nodeOf(key)
      // Not known yet: the client is about to connect to it.
      return node === undefined || (NODE_SENDS.has(node.status) && !watch.silent(node))
    },
    inParts: () => client.status === 'ready',
    send: (key, [command = '', ...args]) => watch.sent(nodeOf(key), client.call(command, ...args)),
    sendToAll: ([command = '', ...args]) =>
      Promise.all(
        client
          .nodes('master')
          .filter(({ status }) => SENDS.has(status))
          .map((node) => node.call(command, ...args)),
      ),
    findings: () => clusterFindings(client.options ?? {}),
  }
}

export function ioRedisSubscriber(client: Pick<IoRedisClient, 'subscribe' | 'unsubscribe' | 'on'>): Subscriber {
  let listens = false
  return {
    async subscribe(channel, heard) {
      // It may be tried again.
      if (!listens) {
        client.on('message', (about) => {
          if (about === channel) heard()
        })
      }
      listens = true
      await client.subscribe(channel)
    },
    unsubscribe: async (channel) => void (await client.unsubscribe(channel)),
  }
}

function nameOf({ options }: IoRedisClient): string {
  const { host, port } = options as { host?: string; port?: number } // of ioredis
  return `${host}:${port}`
}

function settingFindings(options: object): Finding[] {
  const { enableOfflineQueue, autoResendUnfulfilledCommands } = options as Readonly<Record<string, unknown>> // of ioredis
  const found: Finding[] = []
  if (enableOfflineQueue !== false) {
    found.push({
      code: 'IPGUARD_REDIS_OFFLINE_QUEUE',
      message:
        'The ioredis client keeps commands in a queue without an end while it is not connected. ipguard sends none then, but the rest of your application does. Write new Redis({ enableOfflineQueue: false }).',
    })
  }
  if (autoResendUnfulfilledCommands !== false) {
    found.push({
      code: 'IPGUARD_REDIS_RESENDS',
      message:
        'The ioredis client sends commands again that were on their way when the connection was lost: a request may be counted twice. Write new Redis({ autoResendUnfulfilledCommands: false }).',
    })
  }
  return found
}

function clusterFindings(options: object): Finding[] {
  if ((options as { retryDelayOnFailover?: number }).retryDelayOnFailover === 0) return [] // of ioredis
  return [
    {
      code: 'IPGUARD_REDIS_RESENDS',
      message:
        'The ioredis cluster client sends commands again that were on their way when the connection to a node was lost: a request may be counted twice. Write new Cluster(nodes, { retryDelayOnFailover: 0 }).',
    },
  ]
}
