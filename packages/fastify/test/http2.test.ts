import { http2Suite } from '@ipguard/tools/adapters'
import { fastify } from 'fastify'
import fastify4 from 'fastify4'
import { describe, expect, test } from 'vitest'
import { startFastify } from './start-fastify.ts'

describe.each([
  ['Fastify 5', fastify],
  ['Fastify 4', fastify4],
])('%s', (_name, create) => {
  // Its types have another application for HTTP/2; what the driver calls is the same in both.
  http2Suite({ test, expect, start: startFastify(() => create({ http2: true }) as never) })
})
