import { once } from 'node:events'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Send } from '../limit/window-script.ts'

/** The two clients, and the second with its own batching switched on. */
export const CLIENTS = ['node-redis', 'ioredis', 'ioredis, pipelining'] as const

export type ClientName = (typeof CLIENTS)[number]

export type NodeRedis = Awaited<ReturnType<typeof connectNodeRedis>>

/** Connections of a suite, with the clients' default settings. */
export interface Connections {
  readonly nodeRedis: () => Promise<NodeRedis>
  readonly ioredis: (autoPipelining?: boolean) => Promise<Redis>
  /** A connection that sends whatever it is given. */
  readonly send: (client: ClientName) => Promise<Send>
  readonly close: () => void
}

export function connectionsTo(port: number): Connections {
  const ends: (() => void)[] = []
  const connections: Connections = {
    async nodeRedis() {
      const client = await connectNodeRedis(port)
      ends.push(() => client.destroy())
      return client
    },
    async ioredis(enableAutoPipelining = false) {
      const client = new Redis({ host: '127.0.0.1', port, enableAutoPipelining })
      ends.push(() => client.disconnect())
      await once(client, 'ready')
      return client
    },
    async send(client) {
      if (client === 'node-redis') {
        const connected = await connections.nodeRedis()
        return (command) => connected.sendCommand(command)
      }
      const connected = await connections.ioredis(client !== 'ioredis')
      return ([name = '', ...args]) => connected.call(name, args)
    },
    close() {
      for (const end of ends) end()
    },
  }
  return connections
}

async function connectNodeRedis(port: number) {
  const client = createClient({ socket: { host: '127.0.0.1', port } })
  // a lost connection is seen in the calls that fail
  client.on('error', () => {})
  await client.connect()
  return client
}
