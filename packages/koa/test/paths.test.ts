import { pathSuite } from '@ipguard/conformance'
import Koa from 'koa'
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startKoa } from './start-koa.ts'

describe('Koa 3', () => {
  pathSuite({
    test: (name, run) => test(name, run, 180_000),
    expect,
    createStore: () => memoryStore(),
    start: startKoa(Koa),
  })
})
