import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import express from 'express'
import express4 from 'express4'
import { beforeAll, describe, expect, test } from 'vitest'
import { startExpress } from './start-express.ts'

beforeAll(findProxies, 300_000)

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_name, create) => {
  proxySuite({ test, expect, start: startExpress(create) })
})
