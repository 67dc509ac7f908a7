import { ladderSuite, storeSuite } from '@ipguard/conformance'
import { redisStore } from '@ipguard/store-redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClientMaker, MadeClient } from './clients.ts'

const CAPABILITIES = {
  synchronous: 'every answer comes over the network',
  bounded: 'Redis holds as much as its maxmemory allows',
}

let stores = 0

/** A prefix that no other case of this file has: a store behind it holds nothing. */
export function freshPrefix(): string {
  stores++
  return `case-${stores}`
}

/** All that every store promises, and the worked histories of the ladder, with each client. `place`: where the servers are, asked for when they run. */
export function testSuites<Place>(clients: Readonly<Record<string, ClientMaker<Place>>>, place: () => Place): void {
  describe.each(Object.entries(clients))('%s', (_name, make) => {
    let made: MadeClient
    beforeAll(async () => {
      made = await make(place())
    })
    afterAll(async () => made.close())
    const createStore = ({ clock }: { readonly clock: { now(): number } }) =>
      redisStore({ client: made.client, prefix: freshPrefix(), clock })

    describe('storeSuite', () => storeSuite({ test, expect, createStore, capabilities: CAPABILITIES }))
    describe('ladderSuite', () => ladderSuite({ test, expect, createStore }))
  })
}
