import { pathSuite } from '@ipguard/conformance'
import express from 'express'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startExpress } from './start-express.ts'

describe('Express 5', () => {
  pathSuite({
    test: (name, run) => test(name, run, 180_000),
    expect,
    createStore: () => memoryStore(),
    start: startExpress(express),
  })
})
