import { ladderSuite, storeSuite } from '@ipguard/conformance'
import { createClient } from 'redis'
import { describe, expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'

const client = createClient({ url: 'redis://127.0.0.1:7399' })
client.on('error', () => {})
await client.connect()
let n = 0
const createStore = ({ clock }: { clock: { now(): number } }) =>
  redisStore({ client, prefix: `t${n++}.${Date.now()}`, clock })
const capabilities = { synchronous: 'no', bounded: 'no' }
describe('store', () => storeSuite({ test, expect, createStore, capabilities }))
describe('ladder', () => ladderSuite({ test, expect, createStore }))
