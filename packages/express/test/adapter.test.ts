import { adapterSuite } from '@ipguard/conformance'
import express from 'express'
import express4 from 'express4'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startExpress } from './start-express.ts'

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_name, create) => {
  adapterSuite({ test, expect, createStore: () => memoryStore(), start: startExpress(create) })
})
