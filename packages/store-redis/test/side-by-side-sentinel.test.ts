import { redisStore } from '@ipguard/store-redis'
import { type RedisSentinel, startSentinel } from '@ipguard/tools'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type MadeClient, sentinelClients } from './clients.ts'
import { histories } from './histories.ts'
import { runSideBySide } from './side-by-side.ts'
import { freshPrefix } from './suites.ts'

/** Half of it on average. */
const STEPS = 120
let sentinel: RedisSentinel
beforeAll(async () => {
  sentinel = await startSentinel()
})
afterAll(() => sentinel.stop())

describe.each(Object.entries(sentinelClients))('%s', (_name, make) => {
  let made: MadeClient
  beforeAll(async () => {
    made = await make(sentinel)
  })
  afterAll(async () => made.close())

  it('answers as the memory store does, on random histories', async () => {
    await fc.assert(
      fc.asyncProperty(histories(STEPS), (history) =>
        runSideBySide(history, {
          createStore: (clock) => redisStore({ client: made.client, prefix: freshPrefix(), clock }),
        }),
      ),
      { numRuns: 50 },
    )
  })
})
