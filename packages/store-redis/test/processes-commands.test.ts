import { type RedisServer, startRedis, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientName, Flood } from './processes.child.ts'
import { type Fleet, startFleet } from './processes-fleet.ts'
import { type Monitor, type Sent, startMonitor } from './processes-monitor.ts'

const FETCH = 300_000
const CHECKS = 2_000
const BANNED_CHECKS = 1_000
const BANNED = '203.0.113.7'
const CLIENT = '203.0.113.8'
/** ms between two looks at the log of changes; with a little room for timers that come early. */
const POLL = 240

let redis: RedisServer
let fleet: Fleet
let monitor: Monitor
beforeAll(async () => {
  redis = await startRedis()
  fleet = await startFleet(1, redis.port)
  monitor = await startMonitor(redis.port)
}, FETCH)
afterAll(async () => {
  monitor?.close()
  await fleet?.kill()
  await redis?.stop()
})

interface Spell {
  readonly result: Flood
  /** Of kinds that are not sent when nobody asks. */
  readonly forChecks: number
  readonly kinds: readonly string[]
}

function total(sent: Sent): number {
  return [...sent.values()].reduce((sum, count) => sum + count, 0)
}

describe.each(['node-redis', 'ioredis'] as const)(
  'what a guard with three limits, a ladder and managed lists sends with %s',
  (client) => {
    const name = client
    const process = () => fleet.members[0]!
    let idle: Sent

    beforeAll(() => prepare(client))
    afterAll(() => process().call('close', name))

    async function prepare(client: ClientName): Promise<void> {
      const limits = [
        { limit: 1_000_000, window: '60s', ladder: [{ name: 'out', ban: '1h' }] },
        { limit: 2_000_000, window: '1h', algorithm: 'fixed-window' },
        { limit: 3_000_000, window: '1s', algorithm: 'token-bucket' },
      ] as const
      await process().call('open', name, { client, prefix: client, limits, options: { deadline: '10s' } })
      await process().call('ban', name, BANNED, '1h')
      await process().call('ban', name, '198.51.100.128/25', 'permanent')
      await process().call('allow', name, '192.0.2.0/25')
      await process().call('deny', name, '192.0.2.128/25')
      // The first hits: scripts become known, and the server is looked at in the background.
      await process().call('flood', name, CLIENT, 10)
      await waitUntil('nothing but looks for changes is sent', async () => {
        idle = await monitor.during((sent) => waitUntil('three looks', () => total(sent) >= 3))
        return idle.size === 1
      })
    }

    async function spell(work: () => Promise<Flood>): Promise<Spell> {
      const began = performance.now()
      let result: Flood | undefined
      const sent = await monitor.during(async () => {
        result = await work()
      })
      const kinds = [...sent.keys()].filter((what) => !idle.has(what))
      const looked = [...sent].reduce((sum, [what, count]) => sum + (idle.has(what) ? count : 0), 0)
      // No more of them than without checks.
      expect(looked).toBeLessThanOrEqual((performance.now() - began) / POLL + 1)
      return { result: result!, kinds, forChecks: kinds.reduce((sum, what) => sum + sent.get(what)!, 0) }
    }

    it(`a banned client: nothing, in ${BANNED_CHECKS} checks`, async () => {
      for (const order of ['flood', 'inTurn'] as const) {
        const { result, kinds } = await spell(() => process().call(order, name, BANNED, BANNED_CHECKS))
        expect(result).toEqual({ admitted: 0, admittedDegraded: 0, degraded: 0 })
        expect(kinds).toEqual([])
      }
    })

    it('one check after another: one command for each', async () => {
      const { result, forChecks, kinds } = await spell(() => process().call('inTurn', name, CLIENT, CHECKS))
      expect(result).toEqual({ admitted: CHECKS, admittedDegraded: 0, degraded: 0 })
      expect([forChecks, kinds.length]).toEqual([CHECKS, 1])
    })

    it('many checks at once: one command for 64', async () => {
      const { result, forChecks } = await spell(() => process().call('flood', name, CLIENT, CHECKS))
      expect(result).toEqual({ admitted: CHECKS, admittedDegraded: 0, degraded: 0 })
      expect(forChecks).toBe(Math.ceil(CHECKS / 64))
    })
  },
)
