import { describe, expect, it, onTestFinished } from 'vitest'
import { redisCommand } from './redis-command.ts'
import { startSentinel } from './start-sentinel.ts'

describe('startSentinel', { timeout: 300_000 }, () => {
  it('fails over to the replica when the master is killed, and the data are there', async () => {
    const sentinel = await startSentinel()
    onTestFinished(sentinel.stop)
    const { master, replicas, sentinelPorts } = sentinel
    expect(sentinelPorts).toHaveLength(3)
    expect(await sentinel.currentMaster()).toBe(master.port)
    await redisCommand(master.port, 'SET', 'key', 'kept')
    expect(await redisCommand(master.port, 'WAIT', 1, 4_000)).toBe(1)

    expect(await sentinel.killMaster()).toBe(master.port)
    await expect(redisCommand(master.port, 'PING')).rejects.toThrow('ECONNREFUSED')
    expect(await sentinel.masterAfter(master.port)).toBe(replicas[0]!.port)
    expect(await sentinel.currentMaster()).toBe(replicas[0]!.port)
    expect(await redisCommand(replicas[0]!.port, 'GET', 'key')).toBe('kept')
    expect(await redisCommand(replicas[0]!.port, 'SET', 'key', 'new')).toBe('OK')
  })

  it('has sentinels that can be killed and restarted, and remember their master', async () => {
    const { sentinels, currentMaster, master, stop } = await startSentinel()
    onTestFinished(stop)
    const [first, second] = sentinels
    await first!.kill()
    expect(await currentMaster()).toBe(master.port)
    await first!.restart()
    await second!.kill()
    expect(await currentMaster()).toBe(master.port)
  })

  it('knows all replicas from the start, and leaves nothing behind', async () => {
    const sentinel = await startSentinel({ replicas: 2, sentinels: 1 })
    onTestFinished(sentinel.stop)
    const known: unknown = await redisCommand(sentinel.sentinelPorts[0]!, 'SENTINEL', 'REPLICAS', sentinel.name)
    expect(known).toHaveLength(2)
    await sentinel.stop()
    for (const { pid } of [sentinel.master, ...sentinel.replicas, ...sentinel.sentinels]) {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    }
  })
})
