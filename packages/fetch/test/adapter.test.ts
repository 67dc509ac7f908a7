import { adapterSuite } from '@ipguard/conformance'
import { expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startFetch } from './start-fetch.ts'

adapterSuite({
  test,
  expect,
  createStore: () => memoryStore(),
  start: startFetch,
  capabilities: { before: 'a handler answers a response of its own' },
})
