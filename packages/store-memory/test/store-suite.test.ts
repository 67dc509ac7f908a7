import { storeSuite } from '@ipguard/conformance'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, test } from 'vitest'

describe('memoryStore', () => {
  storeSuite({
    test,
    expect,
    createStore: ({ clock, maxKeys, maxBans }) =>
      memoryStore({ clock, ...(maxKeys && { maxKeys }), ...(maxBans && { maxBans }) }),
  })
})
