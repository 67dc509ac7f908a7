import { startFetch } from '../../../packages/fetch/test/start-fetch.ts'
import { startHono } from '../../../packages/hono/test/start-hono.ts'
import { frameworks } from '../suites/frameworks.ts'
import { FETCH_LACKS, runSuites } from '../suites/run-suites.ts'

await runSuites({ ...frameworks, hono: startHono, fetch: { start: startFetch, capabilities: FETCH_LACKS } })
