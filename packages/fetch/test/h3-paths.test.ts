import { pathSuite } from '@ipguard/conformance'
import { expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startH3 } from './start-h3.ts'

pathSuite({
  test: (name, run) => test(name, run, 180_000),
  expect,
  createStore: () => memoryStore(),
  start: startH3,
  spellings: 20_000, // the whole number goes to the adapter itself: paths.test.ts
})
