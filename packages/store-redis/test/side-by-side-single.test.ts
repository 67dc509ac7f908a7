import { redisStore } from '@ipguard/store-redis'
import { type RedisServer, startRedis } from '@ipguard/tools'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type MadeClient, singleClients } from './clients.ts'
import { burstHistories, histories, soloHistories } from './histories.ts'
import { runSideBySide } from './side-by-side.ts'
import { freshPrefix } from './suites.ts'

/** Half of it on average. */
const STEPS = 120
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

// They differ in what they make of replies, and in how checks of one turn are sent.
describe.each(['node-redis 6', 'ioredis 6'])('%s answers as the memory store does', (name) => {
  let made: MadeClient
  beforeAll(async () => {
    made = await singleClients[name]!(redis.port)
  })
  afterAll(async () => made.close())
  const createStore = (clock: { now(): number }) => redisStore({ client: made.client, prefix: freshPrefix(), clock })

  it('on random histories', async () => {
    await fc.assert(
      fc.asyncProperty(histories(STEPS), (history) => runSideBySide(history, { createStore })),
      { numRuns: 150 },
    )
  })

  it('when checks come in one turn', async () => {
    await fc.assert(
      fc.asyncProperty(burstHistories(STEPS), (history) =>
        // What one check of a turn makes of a bucket is not known when the next one is written.
        runSideBySide(history, { createStore, together: STEPS, oneRate: true }),
      ),
      { numRuns: 60 },
    )
  })

  it('when the clock goes back over edges', async () => {
    await fc.assert(
      fc.asyncProperty(soloHistories(STEPS), (history) => runSideBySide(history, { createStore, solo: true })),
      { numRuns: 100 },
    )
  })
})
