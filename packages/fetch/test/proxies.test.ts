import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import { beforeAll, expect, test } from 'vitest'
import { startFetch } from './start-fetch.ts'

beforeAll(findProxies, 300_000)

proxySuite({ test, expect, start: startFetch })
