import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import { beforeAll, expect, test } from 'vitest'
import { startHono } from './start-hono.ts'

beforeAll(findProxies, 300_000)

proxySuite({ test, expect, start: startHono })
