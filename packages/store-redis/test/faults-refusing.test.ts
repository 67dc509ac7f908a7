import { redisCommand, startRedis } from '@ipguard/tools'
import { test } from 'vitest'
import { expectRow } from './faults-expect.ts'
import { type Harm, harmOne, lasting } from './faults-row.ts'

test('a Redis that forgets the scripts again and again is told them again', async () => {
  await expectRow('SCRIPT FLUSH every 50 ms', { outages: 0 }, () =>
    harmOne(async ({ port }) => {
      for (let i = 0; i < 60; i++) {
        await redisCommand(port, 'SCRIPT', 'FLUSH')
        await lasting(50)
      }
    }),
  )
})

test('a Redis without memory, which evicts nothing, is done without', async () => {
  await expectRow('memory full (noeviction) for 3 s', { outages: 1 }, () =>
    harmOne(async ({ port }) => {
      await redisCommand(port, 'CONFIG', 'SET', 'maxmemory', '12mb')
      await fill(port, 0)
      // Well below what it holds, so that a closed connection does not make room.
      await redisCommand(port, 'CONFIG', 'SET', 'maxmemory', '10mb')
      await lasting(3_000)
      await redisCommand(port, 'DEL', 'filled')
    }),
  )
})

test('so is one that has become a replica', async () => {
  await expectRow('made a read-only replica for 3 s', { outages: 1 }, replicating)
})

/** Appends until Redis refuses. */
async function fill(port: number, tries: number): Promise<void> {
  try {
    await redisCommand(port, 'APPEND', 'filled', 'x'.repeat(100_000))
  } catch (error) {
    if (String(error).includes('OOM')) return
    throw error
  }
  if (tries < 500) await fill(port, tries + 1)
}

/** A replica takes over what its primary holds: here, nothing. */
async function replicating(): Promise<Harm> {
  const [redis, other] = await Promise.all([startRedis(), startRedis()])
  return {
    place: { kind: 'single', port: redis.port },
    async run() {
      await redisCommand(redis.port, 'REPLICAOF', '127.0.0.1', other.port)
      await lasting(3_000)
      await redisCommand(redis.port, 'REPLICAOF', 'NO', 'ONE')
    },
    ports: () => [redis.port],
    stop: () => Promise.all([redis.stop(), other.stop()]),
  }
}
