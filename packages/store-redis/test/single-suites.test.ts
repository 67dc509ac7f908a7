import { type RedisServer, startRedis } from '@ipguard/tools'
import { afterAll, beforeAll } from 'vitest'
import { singleClients } from './clients.ts'
import { testSuites } from './suites.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

testSuites(singleClients, () => redis.port)
