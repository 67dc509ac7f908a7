import { http2Server, http2Suite } from '@ipguard/tools/adapters'
import { expect, test } from 'vitest'
import { startHono } from './start-hono.ts'

http2Suite({ test, expect, start: (setup) => startHono(setup, http2Server) })
