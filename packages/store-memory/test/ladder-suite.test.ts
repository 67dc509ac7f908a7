import { ladderSuite } from '@ipguard/conformance'
import { systemClock } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, test, vi } from 'vitest'

describe('memoryStore', () => {
  ladderSuite({ test, expect, createStore: ({ clock }) => memoryStore({ clock }) })
})

test('11. the default clock does not follow a wall clock that is set', () => {
  const clock = systemClock()
  const before = clock.now()
  const wall = vi.spyOn(Date, 'now')
  try {
    for (const by of [-3_600_000, 90_000_000]) {
      wall.mockReturnValue(before + by)
      expect(Math.abs(clock.now() - before)).toBeLessThan(60_000)
    }
  } finally {
    wall.mockRestore()
  }
})
