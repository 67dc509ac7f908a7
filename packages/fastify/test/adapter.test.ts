import { adapterSuite } from '@ipguard/conformance'
import { fastify } from 'fastify'
import fastify4 from 'fastify4'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startFastify } from './start-fastify.ts'

describe.each([
  ['Fastify 5', fastify],
  ['Fastify 4', fastify4],
])('%s', (_name, create) => {
  adapterSuite({ test, expect, createStore: () => memoryStore(), start: startFastify(create) })
})
