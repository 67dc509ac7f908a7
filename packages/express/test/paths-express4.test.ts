import { pathSuite } from '@ipguard/conformance'
import express4 from 'express4'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startExpress } from './start-express.ts'

describe('Express 4', () => {
  pathSuite({
    test: (name, run) => test(name, run, 180_000),
    expect,
    createStore: () => memoryStore(),
    start: startExpress(express4),
  })
})
