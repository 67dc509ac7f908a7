import { pathSuite } from '@ipguard/conformance'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, test } from 'vitest'
import { startNode } from './start-node.ts'

describe('node:http', () => {
  pathSuite({
    test: (name, run) => test(name, run, 180_000),
    expect,
    createStore: () => memoryStore(),
    start: startNode,
  })
})
