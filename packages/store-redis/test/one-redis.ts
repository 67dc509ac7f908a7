import { type RedisServer, startRedis } from '@ipguard/tools'
import { afterAll, beforeAll } from 'vitest'
import { type MadeClient, singleClients } from './clients.ts'

/** A server for the tests of a file, with a client of node-redis; both are there once the tests run. */
export function oneRedis(): Pick<RedisServer, 'port'> & Pick<MadeClient, 'client'> {
  let redis: RedisServer
  let made: MadeClient
  beforeAll(async () => {
    redis = await startRedis()
    made = await singleClients['node-redis 6']!(redis.port)
  })
  afterAll(async () => {
    await made.close()
    await redis.stop()
  })
  return {
    get port() {
      return redis.port
    },
    get client() {
      return made.client
    },
  }
}
