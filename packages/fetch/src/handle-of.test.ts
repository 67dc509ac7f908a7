import type { RequestHandle } from '@ipguard/core'
import { expect, it, vi } from 'vitest'
import { handleOf, setHandle } from './handle-of.ts'

const handle = {} as RequestHandle // only its identity counts

it('knows the request that a guard has seen, and no other', () => {
  const request = new Request('http://localhost/')
  expect(handleOf(request)).toBeUndefined()
  setHandle(request, handle)
  expect([handleOf(request), handleOf(request.clone()), handleOf(new Request(request))]).toEqual([
    handle,
    undefined,
    undefined,
  ])
})

it('knows requests of another copy of this module, such as its CommonJS build', async () => {
  const request = new Request('http://localhost/')
  vi.resetModules()
  const other = await import('./handle-of.ts')
  expect(other.setHandle).not.toBe(setHandle)
  other.setHandle(request, handle)
  expect(handleOf(request)).toBe(handle)
})
