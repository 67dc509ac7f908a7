import { expect, it, vi } from 'vitest'
import { warnProcess } from './warn-process.ts'

it('warns the process, with the code', () => {
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  expect(warnProcess({ code: 'IPGUARD_STORE_FULL', message: 'full' })).toBe(true)
  expect(emit.mock.calls).toEqual([['full', { type: 'IpGuardWarning', code: 'IPGUARD_STORE_FULL' }]])
  emit.mockRestore()
})

it('says where there is no process to warn', () => {
  vi.stubGlobal('process', undefined)
  const told = warnProcess({ code: 'IPGUARD_STORE_FULL', message: 'full' })
  vi.unstubAllGlobals()
  expect(told).toBe(false)
})
