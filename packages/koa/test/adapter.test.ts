import { adapterSuite } from '@ipguard/conformance'
import Koa from 'koa'
import Koa2 from 'koa2'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startKoa } from './start-koa.ts'

describe.each([
  ['Koa 3', Koa],
  ['Koa 2', Koa2],
])('%s', (_name, Application) => {
  adapterSuite({ test, expect, createStore: () => memoryStore(), start: startKoa(Application) })
})
