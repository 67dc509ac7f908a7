import { pathSuite } from '@ipguard/conformance'
import { fastify } from 'fastify'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startFastify } from './start-fastify.ts'

describe('Fastify 5', () => {
  pathSuite({
    test: (name, run) => test(name, run, 180_000),
    expect,
    createStore: () => memoryStore(),
    start: startFastify(fastify),
  })
})
