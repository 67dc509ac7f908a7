import { adapterSuite } from '@ipguard/conformance'
import { expect, test } from 'vitest'
import { memoryStore } from '../src/index.ts'
import { startHono } from './start-hono.ts'

adapterSuite({ test, expect, createStore: () => memoryStore(), start: startHono })
