import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import { beforeAll, describe, expect, test } from 'vitest'
import { startNode } from './start-node.ts'

beforeAll(findProxies, 300_000)

describe('node:http', () => {
  proxySuite({ test, expect, start: startNode })
})
