import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { IpGuardError } from './errors.ts'

it('shows only what it knows', () => {
  const plain = new IpGuardError('IPGUARD_STORE_FAILED', 'The store failed.')
  expect(Object.keys(plain).toSorted()).toEqual(['code', 'name'])
  expect(inspect(plain)).not.toContain('undefined')
  const told = new IpGuardError('IPGUARD_PROVIDER_QUOTA', 'Wait.', { retryAfter: 0, uncertain: true })
  expect(Object.entries(told).toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
    ['code', 'IPGUARD_PROVIDER_QUOTA'],
    ['name', 'IpGuardError'],
    ['retryAfter', 0],
    ['uncertain', true],
  ])
})
