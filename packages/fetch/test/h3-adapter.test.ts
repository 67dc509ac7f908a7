import { adapterSuite } from '@ipguard/conformance'
import { expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startH3 } from './start-h3.ts'

adapterSuite({
  test,
  expect,
  createStore: () => memoryStore(),
  start: startH3,
  capabilities: { before: 'h3 puts what was set before over what a response has, lists too' },
})
