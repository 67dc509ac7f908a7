import { redisCommand } from '@ipguard/tools'
import { test } from 'vitest'
import { expectRow } from './faults-expect.ts'
import { harmOne, lasting } from './faults-row.ts'

test('a Redis that is frozen for 10 s costs 50 ms, then nothing', async () => {
  await expectRow('frozen for 10 s (SIGSTOP)', { outages: 1 }, () =>
    harmOne(async (redis) => {
      redis.freeze()
      await lasting(10_000)
      redis.thaw()
    }),
  )
})

test('so does one that pauses its clients', async () => {
  await expectRow('CLIENT PAUSE for 5 s', { outages: 1 }, () =>
    harmOne(async ({ port }) => {
      await redisCommand(port, 'CLIENT', 'PAUSE', 5_000, 'ALL')
      await lasting(5_000)
    }),
  )
})
