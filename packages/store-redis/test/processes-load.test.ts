import { createEntry, parsePrefix } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { type RedisServer, startRedis } from '@ipguard/tools'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFleet } from './processes-fleet.ts'

const ENTRIES = 200_000
const LONGEST_TURN = 20
/** Processes, each of which loads once. One has to do it: on a shared machine a neighbour may come in between. */
const ATTEMPTS = 3
const PREFIX = 'many'

const ipOf = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
  const client = createClient({ socket: { host: '127.0.0.1', port: redis.port } })
  await client.connect()
  const { entries } = redisStore({ client, prefix: PREFIX })
  const now = Date.now()
  for (let i = 0; i < ENTRIES; i += 5_000) {
    await entries.put(
      Array.from({ length: 5_000 }, (_, j) =>
        createEntry(parsePrefix(`${ipOf(i + j)}/32`), {
          kind: 'ban',
          by: 'manual',
          createdAt: now,
          expiresAt: now + 86_400_000 + j,
          reason: 'seen in the logs of another site',
        }),
      ),
    )
  }
  client.destroy()
}, 300_000)
afterAll(async () => {
  await redis?.stop()
})

describe.each(['node-redis', 'ioredis'] as const)(`${ENTRIES} entries with %s`, (client) => {
  it(`load into a process that has just started without a turn of the event loop over ${LONGEST_TURN} ms`, async () => {
    const sample = Array.from({ length: 1_000 }, (_, i) => ipOf(i * 200 + (i % 200)))
    const opening = { client, prefix: PREFIX, options: { deadline: '30s' } } as const
    const turns: number[] = []
    while (turns.length < ATTEMPTS && !turns.some((turn) => turn <= LONGEST_TURN)) {
      const fleet = await startFleet(1, redis.port)
      try {
        const [process] = fleet.members
        const figures = await process!.call('load', 'many', opening, sample)
        console.log(
          `${client}: longest turn ${figures.longestTurn.toFixed(1)} ms, ${figures.longestWait.toFixed(1)} by the clock, in all ${figures.elapsed.toFixed(0)} ms`,
        )
        expect(figures.denied).toBe(sample.length)
        expect((await process!.call('bans', 'many')).length).toBe(ENTRIES)
        turns.push(figures.longestTurn)
      } finally {
        await fleet.kill()
      }
    }
    expect(Math.min(...turns)).toBeLessThanOrEqual(LONGEST_TURN)
  })
})
