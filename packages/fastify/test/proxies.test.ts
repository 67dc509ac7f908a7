import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import { fastify } from 'fastify'
import fastify4 from 'fastify4'
import { beforeAll, describe, expect, test } from 'vitest'
import { startFastify } from './start-fastify.ts'

beforeAll(findProxies, 300_000)

describe.each([
  ['Fastify 5', fastify],
  ['Fastify 4', fastify4],
])('%s', (_name, create) => {
  proxySuite({ test, expect, start: startFastify(create) })
})
