import { pathSuite } from '@ipguard/conformance'
import { expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startHono } from './start-hono.ts'

pathSuite({
  test: (name, run) => test(name, run, 180_000),
  expect,
  createStore: () => memoryStore(),
  start: startHono,
})
