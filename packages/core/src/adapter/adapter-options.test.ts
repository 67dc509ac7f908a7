import { describe, expect, it } from 'vitest'
import { checkAdapterOptions } from './adapter-options.ts'

describe('checkAdapterOptions', () => {
  it.each([
    [{ fact: () => 1 }, 'IPGUARD_OPTION_UNKNOWN', 'Did you mean "facts"?'],
    [{ facts: 1 }, 'IPGUARD_OPTION_INVALID', 'ipguard.facts is 1. Write a function.'],
    [{ peer: '1.2.3.4' }, 'IPGUARD_OPTION_INVALID', 'ipguard.peer is "1.2.3.4". Write a function.'],
    [{ headers: 'no' }, 'IPGUARD_OPTION_INVALID', 'ipguard.headers is "no". Write true or false.'],
    [{ exposeHeaders: 1 }, 'IPGUARD_OPTION_INVALID', 'ipguard.exposeHeaders is 1. Write true or false.'],
    [null, 'IPGUARD_OPTION_INVALID', 'ipguard is null.'],
  ])('refuses %j', (options, code, text) => {
    expect(() => checkAdapterOptions(options as never, 'ipguard', ['peer'])).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    )
  })

  it('refuses the functions of other adapters', () => {
    expect(() => checkAdapterOptions({ peer: () => '' } as never, 'ipguard')).toThrow(
      expect.objectContaining({ code: 'IPGUARD_OPTION_UNKNOWN' }),
    )
  })
})
