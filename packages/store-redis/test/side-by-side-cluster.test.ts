import { redisStore } from '@ipguard/store-redis'
import { type RedisCluster, startCluster } from '@ipguard/tools'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { clusterClients, type MadeClient } from './clients.ts'
import { histories } from './histories.ts'
import { runSideBySide } from './side-by-side.ts'
import { freshPrefix } from './suites.ts'

/** Half of it on average. */
const STEPS = 120
let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

describe.each(Object.entries(clusterClients))('%s', (_name, make) => {
  let made: MadeClient
  beforeAll(async () => {
    made = await make(cluster)
  })
  afterAll(async () => made.close())

  // One check after the other: what one of several clients is refused is given back to the others a trip later.
  it('answers as the memory store does, on random histories', async () => {
    await fc.assert(
      fc.asyncProperty(histories(STEPS), (history) =>
        runSideBySide(history, {
          oneRate: true,
          createStore: (clock) => redisStore({ client: made.client, prefix: freshPrefix(), clock }),
        }),
      ),
      { numRuns: 50 },
    )
  })
})
