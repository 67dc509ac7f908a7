import { createGuard, rateLimit, type Store } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, it, vi } from 'vitest'
import { guardFrom } from './guard-from.ts'
import { checkAdapterOptions } from './guard-request.ts'

const policies = [rateLimit({ limit: 1, window: '1s' })]
const failing = (): Store => {
  throw new Error('No store is needed.')
}

describe('guardFrom', () => {
  it('takes a guard as it is', () => {
    const guard = createGuard({ policies: [] })
    expect(guardFrom(guard, failing)).toBe(guard)
  })

  it('makes the default store only where the options name none', () => {
    expect(guardFrom({ policies, store: memoryStore() }, failing)).toHaveProperty('check')
    expect(guardFrom({ policies }, memoryStore)).toHaveProperty('check')
  })

  it('warns the process where the options name nobody', () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    guardFrom({ policies, store: memoryStore() }, (options) => memoryStore(options))
    const guard = guardFrom({ policies: [] }, (options) => {
      options.onWarning({ code: 'IPGUARD_STORE_FULL', message: 'full' })
      return memoryStore(options)
    })
    expect(guard).toHaveProperty('check')
    expect(emit.mock.calls).toEqual([['full', { type: 'IpGuardWarning', code: 'IPGUARD_STORE_FULL' }]])
    emit.mockRestore()
  })

  it.each([[undefined], [null], ['x'], [7]])('refuses %s', (given) => {
    expect(() => guardFrom(given as never, memoryStore)).toThrow(expect.objectContaining({ name: 'IpGuardError' }))
  })
})

describe('checkAdapterOptions', () => {
  it.each([
    [{ fact: () => 1 }, 'IPGUARD_OPTION_UNKNOWN', 'Did you mean "facts"?'],
    [{ facts: 1 }, 'IPGUARD_OPTION_INVALID', 'ipguard.facts is 1. Write a function.'],
    [{ headers: 'no' }, 'IPGUARD_OPTION_INVALID', 'ipguard.headers is "no". Write true or false.'],
    [{ exposeHeaders: 1 }, 'IPGUARD_OPTION_INVALID', 'ipguard.exposeHeaders is 1. Write true or false.'],
    [null, 'IPGUARD_OPTION_INVALID', 'ipguard is null.'],
  ])('refuses %j', (options, code, text) => {
    expect(() => checkAdapterOptions(options as never, 'ipguard')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    )
  })
})
