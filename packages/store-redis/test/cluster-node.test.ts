import { createGuard, type Decision, rateLimit } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { type RedisCluster, redisCommand, startCluster, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clusterClients, type MadeClient } from './clients.ts'
import { freshPrefix } from './suites.ts'

/** Of a decision, in ms: long enough for the nodes that do answer, on a machine that does much else at once. */
const DEADLINE = 500
const IPS = Array.from({ length: 60 }, (_, i) => `203.0.113.${i}`)
let cluster: RedisCluster
beforeAll(async () => {
  // It is to stay frozen, and not to be voted out.
  cluster = await startCluster({ args: ['--cluster-node-timeout', '60000'] })
})
afterAll(() => cluster.stop())

/** The nodes' slots as CLUSTER SLOTS tells them: by port. */
async function portOf(key: string): Promise<number> {
  const [first] = cluster.ports
  const slot = await redisCommand(first!, 'CLUSTER', 'KEYSLOT', key)
  const ranges = (await redisCommand(first!, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][] // Redis documentation, CLUSTER SLOTS
  const range = ranges.find(([from, to]) => from <= Number(slot) && Number(slot) <= to)
  return range![2][1]
}

describe.each(['node-redis 6', 'ioredis 6'])('%s: while one node of the cluster is frozen', (name) => {
  let made: MadeClient
  beforeAll(async () => {
    made = await clusterClients[name]!(cluster)
  })
  afterAll(async () => made.close())

  it('only its own clients are counted without it, and all of them with it when it is back', async () => {
    const prefix = freshPrefix()
    const frozen = 1
    const entries = await portOf(`${prefix}:1:{entries}:meta`)
    const [node] = [cluster.nodes[frozen]!, cluster.nodes[2]!].filter(({ port }) => port !== entries)
    const away = new Set<string>()
    for (const ip of IPS) if ((await portOf(`${prefix}:1:{${ip}}`)) === node!.port) away.add(ip)
    expect(away.size).toBeGreaterThan(5)
    const guard = createGuard({
      store: redisStore({ client: made.client, prefix }),
      deadline: DEADLINE,
      policies: [rateLimit({ name: 'l', limit: 1_000, window: '60s' })],
    })
    const check = async (ip: string): Promise<Decision> =>
      guard.check({ method: 'GET', url: '/', headers: { get: () => null } }, { peer: ip })
    const round = async (): Promise<ReadonlySet<string>> => {
      const decisions = await Promise.all(IPS.map(check))
      return new Set(IPS.filter((_, i) => decisions[i]!.degraded))
    }
    try {
      await waitUntil('all are counted by Redis', async () => (await round()).size === 0)
      node!.freeze()
      const isAway = async (): Promise<boolean> => {
        const without = await round()
        return without.size === away.size && [...without].every((ip) => away.has(ip))
      }
      // At first its failures are those of the whole store, which is left alone for a moment.
      await waitUntil('it is known which node is silent', async () => {
        for (let i = 0; i < 20; i++) if (!(await isAway())) return false
        return true
      })
      // And so it stays: once a second one of them tries, and is decided without it too.
      const late: number[] = []
      while (late.length < 2) {
        const sentAt = performance.now()
        expect(await isAway()).toBe(true)
        if (performance.now() - sentAt > 0.8 * DEADLINE) late.push(sentAt)
      }
      node!.thaw()
      await waitUntil('all are counted by Redis again', async () => (await round()).size === 0)
    } finally {
      node!.thaw()
      await guard.close()
    }
  })
})
