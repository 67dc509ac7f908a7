import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import Koa from 'koa'
import Koa2 from 'koa2'
import { beforeAll, describe, expect, test } from 'vitest'
import { startKoa } from './start-koa.ts'

beforeAll(findProxies, 300_000)

describe.each([
  ['Koa 3', Koa],
  ['Koa 2', Koa2],
])('%s', (_name, Application) => {
  proxySuite({ test, expect, start: startKoa(Application) })
})
