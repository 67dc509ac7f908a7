import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from './find-program.ts'
import { launchRedis, type RedisServer } from './launch-redis.ts'
import { redisCommand } from './redis-command.ts'
import { type RedisOptions, startRedis } from './start-redis.ts'
import { startTogether, type Together } from './start-together.ts'
import { waitUntil } from './wait-until.ts'

export interface SentinelOptions {
  /** @default 1 */
  readonly replicas?: number
  /** @default 3 */
  readonly sentinels?: number
  /** Added to those of the master and of each replica. */
  readonly args?: readonly string[]
  readonly server?: RedisOptions['server']
}

export interface RedisSentinel {
  /** The name that clients ask the sentinels for. */
  readonly name: 'ipguard'
  /** The first master; after a failover, another one is. */
  readonly master: RedisServer
  readonly replicas: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  readonly sentinelPorts: readonly number[]
  /** The port that more than half of the sentinels name as the master's; waits while they don't agree. */
  readonly currentMaster: () => Promise<number>
  /** Kills the current master and answers its port as soon as it is gone; the failover has not begun then. */
  readonly killMaster: () => Promise<number>
  /** Waits until a master at another port than this is agreed on and takes writes, and answers its port. */
  readonly masterAfter: (port: number) => Promise<number>
  readonly stop: () => Promise<void>
}

const NAME = 'ipguard'
/** Without it a master waits 5 seconds for more replicas before the first sync. */
const SYNC_AT_ONCE = ['--repl-diskless-sync-delay', '0']

/**
 * A master, its replicas and sentinels on free ports of 127.0.0.1. Answers when the replicas are in step and each
 * sentinel knows all of them and all other sentinels, so that a kill at once leads to a failover: a master is held to be
 * down after 500 ms.
 *
 * @example
 * const sentinel = await startSentinel()
 * const port = await sentinel.masterAfter(await sentinel.killMaster())
 * await sentinel.stop()
 */
export async function startSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const { replicas: replicaCount = 1, sentinels: count = 3, args = [], server } = options
  const begun: Together[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(begun.map((group) => group.stop()))
  }
  const begin = async (number: number, start: () => Promise<RedisServer>): Promise<readonly RedisServer[]> => {
    const group = await startTogether(Array.from({ length: number }, () => start))
    begun.push(group)
    return group.servers
  }
  try {
    const common = { server, args: [...SYNC_AT_ONCE, ...args] }
    const master = await startRedis(common)
    begun.push({ servers: [master], stop: master.stop })
    const following = { server, args: [...common.args, '--replicaof', '127.0.0.1', String(master.port)] }
    const replicas = await begin(replicaCount, () => startRedis(following))
    for (const { port } of replicas) await waitForText(port, 'replication', 'master_link_status:up')
    const sentinels = await begin(count, () => startOne(master.port, Math.floor(count / 2) + 1, server))
    const all = `status=ok,address=127.0.0.1:${master.port},slaves=${replicaCount},sentinels=${count}\r\n`
    for (const { port } of sentinels) await waitForText(port, 'sentinel', all)
    return { name: NAME, master, replicas, sentinels, ...watch([master, ...replicas], sentinels), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function watch(
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
): Pick<RedisSentinel, 'sentinelPorts' | 'currentMaster' | 'killMaster' | 'masterAfter'> {
  const sentinelPorts = sentinels.map((sentinel) => sentinel.port)
  const agreed = async (accept: (port: number) => boolean | Promise<boolean>): Promise<number> => {
    let found = 0
    await waitUntil(
      'the sentinels agree on a master',
      async () => {
        const answers = await Promise.allSettled(sentinelPorts.map(namedBy))
        const ports = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
        found = ports.find((port) => ports.filter((other) => other === port).length > sentinelPorts.length / 2) ?? 0
        return found > 0 && (await accept(found))
      },
      30_000,
    )
    return found
  }
  const currentMaster = (): Promise<number> => agreed(() => true)
  return {
    sentinelPorts,
    currentMaster,
    async killMaster() {
      const port = await currentMaster()
      await servers.find((server) => server.port === port)?.kill()
      return port
    },
    masterAfter: (before) =>
      agreed(async (port) => port !== before && String(await redisCommand(port, 'ROLE')).startsWith('master,')),
  }
}

async function namedBy(sentinelPort: number): Promise<number> {
  const address: unknown = await redisCommand(sentinelPort, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)
  return Array.isArray(address) ? Number(address[1]) : 0
}

function startOne(masterPort: number, quorum: number, server: 'redis' | 'valkey' = 'redis'): Promise<RedisServer> {
  return launchRedis({
    program: findProgram(`${server}-server`),
    args: [],
    line: ({ port, folder }, given) => {
      const file = join(folder, 'sentinel.conf')
      // A sentinel keeps what it learns in its file, and finds it again after a restart.
      if (!existsSync(file)) writeFileSync(file, sentinelConfig({ port, folder, masterPort, quorum }))
      return [file, '--sentinel', ...given]
    },
  })
}

function sentinelConfig(at: { port: number; folder: string; masterPort: number; quorum: number }): string {
  return `port ${at.port}
bind 127.0.0.1
protected-mode no
dir "${at.folder}"
sentinel monitor ${NAME} 127.0.0.1 ${at.masterPort} ${at.quorum}
sentinel down-after-milliseconds ${NAME} 500
sentinel failover-timeout ${NAME} 2000
`
}

async function waitForText(port: number, section: string, text: string): Promise<void> {
  const found = async (): Promise<boolean> => String(await redisCommand(port, 'INFO', section)).includes(text)
  await waitUntil(`${port} says "${text.trim()}"`, found, 20_000)
}
