import { expect, it, vi } from 'vitest'
import { warnProcess } from './warn-process.ts'

it('warns the process, with the code', () => {
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  warnProcess({ code: 'IPGUARD_STORE_FULL', message: 'full' })
  expect(emit.mock.calls).toEqual([['full', { type: 'IpGuardWarning', code: 'IPGUARD_STORE_FULL' }]])
  emit.mockRestore()
})
