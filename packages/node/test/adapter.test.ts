import { adapterSuite } from '@ipguard/conformance'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, test } from 'vitest'
import { startNode } from './start-node.ts'

describe('node:http', () => {
  adapterSuite({ test, expect, createStore: () => memoryStore(), start: startNode })
})
