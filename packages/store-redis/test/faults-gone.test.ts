import { createGuard, rateLimit } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { startRedis } from '@ipguard/tools'
import { createClient } from 'redis'
import { test } from 'vitest'
import { FAULT_CLIENTS } from './faults-client.ts'
import { expectRow } from './faults-expect.ts'
import { BANNED } from './faults-report.ts'
import { type Harm, harmOne, lasting } from './faults-row.ts'

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']

test('a Redis that was killed and comes back empty is given the bans again', async () => {
  await expectRow('killed (SIGKILL), 3 s later there again, empty', { outages: 1 }, () =>
    harmOne(async (redis) => {
      await redis.kill()
      await lasting(3_000)
      await redis.restart()
    }),
  )
})

test('so is one that is empty after a restart', async () => {
  await expectRow('restarted empty', { outages: 1 }, () => harmOne((redis) => redis.restart()))
})

test('one with an append-only file has kept them', async () => {
  await expectRow('killed and restarted with AOF', { outages: 1 }, () =>
    harmOne(
      async (redis) => {
        await redis.kill()
        await redis.restart()
      },
      { args: AOF },
    ),
  )
})

test('a process that starts without Redis decides without it, and knows the bans as soon as it is there', async () => {
  await expectRow('connection refused from the start, for 2 s', { outages: 1, cold: true }, absent)
})

/** A Redis with a ban, that is not there when the processes start. */
async function absent(): Promise<Harm> {
  const redis = await startRedis({ args: AOF })
  const client = await createClient({ url: redis.url }).connect()
  for (const prefix of FAULT_CLIENTS) {
    const guard = createGuard({
      store: redisStore({ client, prefix }),
      policies: [rateLimit({ limit: 1, window: '60s' })],
    })
    await guard.ban(BANNED, { for: '24h' })
    await guard.close()
  }
  client.destroy()
  await redis.kill()
  return {
    place: { kind: 'single', port: redis.port },
    async run() {
      await lasting(2_000)
      await redis.restart()
    },
    ports: () => [redis.port],
    stop: redis.stop,
  }
}
