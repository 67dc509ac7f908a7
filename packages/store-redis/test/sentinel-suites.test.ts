import { type RedisSentinel, startSentinel } from '@ipguard/tools'
import { afterAll, beforeAll } from 'vitest'
import { sentinelClients } from './clients.ts'
import { testSuites } from './suites.ts'

let sentinel: RedisSentinel
beforeAll(async () => {
  sentinel = await startSentinel()
})
afterAll(() => sentinel.stop())

testSuites(sentinelClients, () => sentinel)
