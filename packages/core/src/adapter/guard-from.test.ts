import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { createGuard } from '../create-guard.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import type { Store } from '../store/store.ts'
import { guardFrom, warningsOf } from './guard-from.ts'

const policies = [rateLimit({ limit: 1, window: '1s' })]
const failing = (): Store => {
  throw new Error('No store is needed.')
}
const onWarning = vi.fn()
const full = { code: 'IPGUARD_STORE_FULL', message: 'full' } as const

describe('guardFrom', () => {
  it('takes a guard as it is', () => {
    const guard = createGuard({ policies: [] })
    expect(guardFrom(guard, { createStore: failing, onWarning })).toBe(guard)
  })

  it('makes the default store only where the options name none', () => {
    expect(guardFrom({ policies, store: memoryStore() }, { createStore: failing, onWarning })).toHaveProperty('check')
    expect(guardFrom({ policies }, { createStore: memoryStore, onWarning })).toHaveProperty('check')
  })

  it('sends the warnings of guard and store where the options say, else where the adapter says', () => {
    const own = vi.fn()
    const createStore = vi.fn((options) => memoryStore(options))
    guardFrom({ policies }, { createStore, onWarning })
    guardFrom({ policies, onWarning: own }, { createStore, onWarning })
    for (const [options] of createStore.mock.calls) options.onWarning(full)
    expect([onWarning.mock.calls, own.mock.calls]).toEqual([[[full]], [[full]]])
    expect(warningsOf({ policies, onWarning: own }, onWarning)).toBe(own)
    expect(warningsOf(createGuard({ policies: [] }), onWarning)).toBe(onWarning)
  })

  it.each([[undefined], [null], ['x'], [7]])('refuses %s', (given) => {
    expect(() => guardFrom(given as never, { createStore: memoryStore, onWarning })).toThrow(
      expect.objectContaining({ name: 'IpGuardError' }),
    )
  })
})
