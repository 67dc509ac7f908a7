import { type RedisCluster, startCluster } from '@ipguard/tools'
import { afterAll, beforeAll } from 'vitest'
import { clusterClients } from './clients.ts'
import { testSuites } from './suites.ts'

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

testSuites(clusterClients, () => cluster)
