import { redisCommand } from '@ipguard/tools'
import { test } from 'vitest'
import { expectRow } from './faults-expect.ts'
import { harmOne, lasting } from './faults-row.ts'

test('a Redis that freezes and thaws all the time is used when it can be', async () => {
  await expectRow('flapping: frozen and thawed every 200 ms', { outages: 'some' }, () =>
    harmOne(async (redis) => {
      for (let i = 0; i < 10; i++) {
        await lasting(200)
        redis.freeze()
        await lasting(200)
        redis.thaw()
      }
    }),
  )
})

test('so is one that closes every connection all the time', async () => {
  await expectRow('flapping: every connection killed every 200 ms', {}, () =>
    harmOne(async ({ port }) => {
      for (let i = 0; i < 20; i++) {
        await lasting(200)
        await redisCommand(port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }
    }),
  )
})
