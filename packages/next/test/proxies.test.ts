import { findProxies, proxySuite } from '@ipguard/tools/proxies'
import { beforeAll, describe, expect, test } from 'vitest'
import { runApp } from './running-app.ts'

beforeAll(findProxies, 300_000)
const { running } = runApp({ version: '16.4.6', file: 'proxy', runtime: 'nodejs' })

describe('Next.js 16, proxy.ts behind a custom server', () => {
  proxySuite({ test, expect, start: (setup) => running().start('proxy')(setup) })
})
