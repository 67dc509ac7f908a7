import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { slotOwner } from './move-slot.ts'
import { redisCommand } from './redis-command.ts'
import { redisPort } from './redis-port.ts'
import { startCluster } from './start-cluster.ts'
import { startRedis } from './start-redis.ts'

describe('startCluster', { timeout: 300_000 }, () => {
  it('moves a slot with its keys in steps, with redirects while it is open', async () => {
    const cluster = await startCluster()
    onTestFinished(cluster.stop)
    const { ports } = cluster
    const slot = Number(await redisCommand(ports[0]!, 'CLUSTER', 'KEYSLOT', '{tag}'))
    const from = ports.indexOf(await slotOwner(ports[0]!, slot))
    const to = (from + 1) % 3
    const [fromPort, toPort] = [ports[from]!, ports[to]!]
    for (const n of [1, 2, 3]) await redisCommand(fromPort, 'SET', `{tag}${n}`, `value ${n}`)

    const seen: [number, unknown][] = []
    await cluster.moveSlot(slot, to, {
      keys: 2,
      during: async (moved) => {
        seen.push([moved, await redisCommand(fromPort, 'GET', '{tag}none').catch((error: Error) => error.message)])
        expect(await redisCommand(fromPort, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(3 - moved)
      },
    })

    const ask = `ASK ${slot} 127.0.0.1:${toPort}`
    expect(seen).toEqual([
      [0, ask],
      [2, ask],
      [3, ask],
    ])
    for (const n of [1, 2, 3]) expect(await redisCommand(toPort, 'GET', `{tag}${n}`)).toBe(`value ${n}`)
    for (const port of ports.filter((other) => other !== toPort)) {
      await expect(redisCommand(port, 'GET', '{tag}1')).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${toPort}`)
    }
    await expect(cluster.moveSlot(slot, 3)).rejects.toThrow('There is no node 3; the last one is 2.')
  })

  it('passes arguments on to each node, and leaves none behind', async () => {
    const { nodes, ports, stop } = await startCluster({ nodes: 4, args: ['--cluster-require-full-coverage', 'no'] })
    onTestFinished(stop)
    for (const port of ports) {
      const setting = await redisCommand(port, 'CONFIG', 'GET', 'cluster-require-full-coverage')
      expect(setting).toEqual(['cluster-require-full-coverage', 'no'])
    }
    await stop()
    for (const { pid } of nodes) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('hears from a node that its bus port is taken, in the words that lead to another try', async () => {
    const port = await redisPort()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(port + 10_000, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    await expect(startRedis({ port, args: ['--cluster-enabled', 'yes'] })).rejects.toThrow('Address already in use')
  })

  it('refuses fewer nodes than a cluster has', async () => {
    await expect(startCluster({ nodes: 2 })).rejects.toThrow('at least 3 nodes, not 2')
  })
})
