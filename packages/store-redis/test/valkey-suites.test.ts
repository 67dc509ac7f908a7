import { hasProgram, type RedisServer, startRedis } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { singleClients } from './clients.ts'
import { testSuites } from './suites.ts'

if (hasProgram('valkey-server')) {
  describe('Valkey', () => {
    let valkey: RedisServer
    beforeAll(async () => {
      valkey = await startRedis({ server: 'valkey' })
    })
    afterAll(() => valkey.stop())

    testSuites(singleClients, () => valkey.port)
  })
} else {
  test('Valkey is not available on this system, and the one who wants it here is told what to install', () => {
    expect(() => startRedis({ server: 'valkey' })).toThrow('set IPGUARD_VALKEY_SERVER to its path')
  })
}
