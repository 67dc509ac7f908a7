import { expect, it, vi } from 'vitest'
import { warnHost } from './warn-host.ts'

const warning = { code: 'IPGUARD_STORE_FULL', message: 'full' } as const

it('warns the process where there is one', () => {
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  warnHost(warning)
  expect(emit.mock.calls).toEqual([['full', { type: 'IpGuardWarning', code: 'IPGUARD_STORE_FULL' }]])
  emit.mockRestore()
})

it('writes to the log of a Worker', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.stubGlobal('process', undefined)
  warnHost(warning)
  vi.unstubAllGlobals()
  expect(warn.mock.calls).toEqual([['[IPGUARD_STORE_FULL] IpGuardWarning: full']])
  warn.mockRestore()
})
