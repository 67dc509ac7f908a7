import { http2Server, http2Suite } from '@ipguard/tools/adapters'
import Koa from 'koa'
import Koa2 from 'koa2'
import { describe, expect, test } from 'vitest'
import { startKoa } from './start-koa.ts'

describe.each([
  ['Koa 3', Koa, undefined],
  ['Koa 2', Koa2, 'Koa 2 takes the answer to one for ended, and never ends it'],
])('%s', (_name, Application, withoutHead) => {
  const start = startKoa(Application, http2Server)
  http2Suite({ test, expect, start, ...(withoutHead !== undefined && { withoutHead }) })
})
