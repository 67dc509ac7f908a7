import type { Counter, Finding } from '@ipguard/core'
import { type Connection, checkReady, sendNow } from './connection.ts'
import type { Keys } from './keys.ts'

/** Looks at how Redis and the client are set up, for what would cost a guarantee. */
export interface Inspector {
  /** A counter that guards of this process use. */
  met(counter: Counter): void
  inspect(): Promise<readonly Finding[]>
}

export interface InspectorOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly prefix: string
  readonly time: () => number
  /** With a clock of its own the store does not go by the server's. */
  readonly hasClock: boolean
}

/** Counters that are compared with those of other guards, at most. */
const MOST = 256
/** A clock that is off by less is off by the network. */
const SKEW = 2_000

export function createInspector({ connection, keys, prefix, time, hasClock }: InspectorOptions): Inspector {
  const counters = new Map<string, Counter>()
  let latest: Counter | undefined

  async function info(): Promise<Readonly<Record<string, string>>[]> {
    // Managed services refuse CONFIG; INFO they all answer.
    const replies = await connection.sendToAll(['INFO'])
    return replies.map((text) =>
      Object.fromEntries(
        String(text)
          .split('\r\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
      ),
    )
  }

  /** Whether RDB snapshots are switched on; undefined where CONFIG is refused. */
  async function saves(): Promise<boolean | undefined> {
    try {
      const [reply] = await connection.sendToAll(['CONFIG', 'GET', 'save'])
      // RESP2 answers a list, RESP3 a map.
      const value: unknown = Array.isArray(reply) ? reply[1] : (reply as { save?: unknown } | undefined)?.save
      return typeof value === 'string' ? value !== '' : undefined
    } catch {
      return undefined
    }
  }

  async function compareSettings(): Promise<Finding[]> {
    const mine = new Map([...counters.values()].map((counter) => [counter.id, settingsOf(counter)]))
    const found: Finding[] = []
    for (const [id, settings] of mine) {
      const { settings: name } = keys.registry
      await sendNow(connection, name, ['HSETNX', name, id, settings])
      const theirs = await sendNow(connection, name, ['HGET', name, id])
      if (theirs === settings) continue
      // The latest is what the next guard compares itself with: a changed plan is told of once by each process.
      await sendNow(connection, name, ['HSET', name, id, settings])
      found.push({
        code: 'IPGUARD_REDIS_SETTINGS_DIFFER',
        message: `Another guard on the prefix "${prefix}" has other settings for ${id}: there ${String(theirs)}, here ${settings}. If that is no rollout of a change, write another name for the policy or another prefix.`,
      })
    }
    return found
  }

  async function skew(): Promise<Finding[]> {
    if (hasClock) return []
    const before = time()
    const [seconds, micros] = (await sendNow(connection, keys.registry.meta, ['TIME'])) as [string, string] // Redis documentation, TIME
    const after = time()
    const server = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
    const off = server < before ? server - before : server > after ? server - after : 0
    if (Math.abs(off) <= SKEW) return []
    return [
      {
        code: 'IPGUARD_REDIS_CLOCK',
        message: `The clock of Redis is ${Math.abs(off)} ms ${off < 0 ? 'behind' : 'ahead of'} this process's. Limits go by the one of Redis, and the ends of bans by both. Synchronise them (NTP).`,
      },
    ]
  }

  return {
    met(counter) {
      if (counter === latest) return
      latest = counter
      if (counters.size < MOST) counters.set(counter.id, counter)
    },
    async inspect() {
      checkReady(connection, keys.registry.meta)
      const found = [...connection.findings()]
      const nodes = await info()
      const evicting = nodes.find(
        ({ maxmemory, maxmemory_policy: policy }) => maxmemory !== '0' && policy !== 'noeviction',
      )
      if (evicting) {
        found.push({
          code: 'IPGUARD_REDIS_EVICTS',
          message: `Redis throws keys away when its memory is full (maxmemory-policy ${evicting.maxmemory_policy}), and bans are among them. Write maxmemory-policy noeviction, or give ipguard a Redis of its own.`,
        })
      }
      const readOnly = nodes.some(({ role }) => role === 'slave')
      if (readOnly) {
        found.push({
          code: 'IPGUARD_REDIS_READ_ONLY',
          message:
            'The client is connected to a replica, which counts nothing. Connect it to the primary, or by Sentinel or Cluster, which find it.',
        })
      }
      if (nodes.some(({ aof_enabled: aof }) => aof === '0') && (await saves()) === false) {
        found.push({
          code: 'IPGUARD_REDIS_NOT_PERSISTENT',
          message:
            'Redis keeps nothing on disk: after a restart it has the bans only that a running instance puts back, and no strikes. Write appendonly yes.',
        })
      }
      found.push(...(await skew()))
      if (!readOnly) found.push(...(await compareSettings()))
      return found
    },
  }
}

function settingsOf({ largest, ladder, banScope }: Counter): string {
  const limit = largest === Number.POSITIVE_INFINITY ? 'a function' : largest
  return JSON.stringify({
    limit,
    ladder: ladder?.tiers.map(({ ban, after, within }) => ({ ban, after, within })),
    banScope,
  })
}
