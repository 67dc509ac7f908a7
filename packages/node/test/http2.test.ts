import { http2Server, http2Suite } from '@ipguard/tools/adapters'
import { expect, test } from 'vitest'
import { startNode } from './start-node.ts'

http2Suite({ test, expect, start: (setup) => startNode(setup, http2Server) })
