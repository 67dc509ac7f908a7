import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildApp } from './build-app.ts'
import { type RunningNext, startNext } from './start-next.ts'

let running: RunningNext | undefined

beforeAll(async () => {
  findProxies()
  running = await startNext(await buildApp({ version: '16.4.6', file: 'proxy', runtime: 'nodejs' }))
}, 300_000)
afterAll(() => running?.close())

describe('Next.js 16, proxy.ts behind a custom server', () => {
  proxySuite({
    test,
    expect,
    start: (setup) => {
      if (!running) throw new Error('Next has not started.')
      return running.start('proxy')(setup)
    },
  })
})
