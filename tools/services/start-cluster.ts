import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'
import type { RedisServer } from './launch-redis.ts'
import { type MoveSlotOptions, moveSlot } from './move-slot.ts'
import { redisCommand } from './redis-command.ts'
import { type RedisOptions, startRedis } from './start-redis.ts'
import { startTogether } from './start-together.ts'
import { waitUntil } from './wait-until.ts'

export interface ClusterOptions {
  /** Masters, at least 3; there are no replicas. @default 3 */
  readonly nodes?: number
  /** Added to each node's, and stronger: `['--cluster-require-full-coverage', 'no']`. */
  readonly args?: readonly string[]
  readonly server?: RedisOptions['server']
}

export interface RedisCluster {
  readonly ports: readonly number[]
  readonly nodes: readonly RedisServer[]
  /** Moves a slot (0 to 16383) with its keys to the node of that index, in steps, while clients go on. */
  readonly moveSlot: (slot: number, toIndex: number, options?: MoveSlotOptions) => Promise<void>
  readonly stop: () => Promise<void>
}

const CLUSTER = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '2000']

/**
 * A Redis cluster of masters on free ports of 127.0.0.1, their slots dealt out evenly. Answers when each node says that
 * the cluster is well. A node that is silent for 2 seconds is held to be gone.
 *
 * @example
 * const cluster = await startCluster()
 * await cluster.moveSlot(12182, 0, { keys: 1, during: async (moved) => console.log(moved) })
 * await cluster.stop()
 */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { nodes: count = 3, args = [], server } = options
  if (count < 3) throw new Error(`A cluster has at least 3 nodes, not ${count}.`)
  const start = (): Promise<RedisServer> => startRedis({ args: [...CLUSTER, ...args], server })
  const { servers: nodes, stop } = await startTogether(Array.from({ length: count }, () => start))
  const ports = nodes.map((node) => node.port)
  try {
    await join(ports)
    for (const port of ports) await waitUntil(`the cluster is well for ${port}`, () => isWell(port, count), 20_000)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ports,
    nodes,
    async moveSlot(slot, toIndex, moveOptions) {
      const to = ports[toIndex]
      if (to === undefined) throw new Error(`There is no node ${toIndex}; the last one is ${count - 1}.`)
      await moveSlot(ports, slot, to, moveOptions)
    },
    stop,
  }
}

async function join(ports: readonly number[]): Promise<void> {
  const { path, env } = findProgram('redis-cli')
  const args = ['--cluster', 'create', ...ports.map((port) => `127.0.0.1:${port}`), '--cluster-yes']
  await promisify(execFile)(path, args, { env: { ...process.env, ...env }, timeout: 30_000 })
}

async function isWell(port: number, count: number): Promise<boolean> {
  const info = String(await redisCommand(port, 'CLUSTER', 'INFO'))
  return ['cluster_state:ok', 'cluster_slots_ok:16384', `cluster_known_nodes:${count}`].every((line) =>
    info.includes(`${line}\r\n`),
  )
}
