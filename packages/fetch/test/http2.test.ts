import { http2Server, http2Suite } from '@ipguard/tools/adapters'
import { expect, test } from 'vitest'
import { startFetch } from './start-fetch.ts'

http2Suite({ test, expect, start: (setup) => startFetch(setup, http2Server) })
