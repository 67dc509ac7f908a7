import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { vpnapi } from '../src/vpnapi.ts'
import { answering, ask, signal } from './ask.ts'

const NETWORK = { autonomous_system_number: 'AS64500', autonomous_system_organization: 'EXAMPLE' }
const read = async (body: unknown, status = 200): Promise<unknown> =>
  ask((options) => vpnapi({ ...options, key: 'k' }), { status, body })

describe('vpnapi', () => {
  it.each<[body: object, verdict: Verdict | undefined]>([
    [{ security: { vpn: false, proxy: false, tor: false, relay: false }, network: NETWORK }, undefined],
    [
      { security: { vpn: true }, network: NETWORK },
      { score: 40, categories: ['vpn'], detail: 'EXAMPLE' },
    ],
    [{ security: { proxy: true, vpn: null } }, { score: 50, categories: ['proxy'] }],
    [
      { security: { tor: 'true', relay: 'N/A' }, network: '' },
      { score: 60, categories: ['tor'] },
    ],
    [
      { security: { relay: 1 }, network: { autonomous_system_organization: '' } },
      { score: 10, categories: ['relay'] },
    ],
    [{ security: { vpn: true, proxy: true, tor: true } }, { score: 100, categories: ['vpn', 'proxy', 'tor'] }],
  ])('reads %j', async (body, verdict) => {
    expect(await read(body)).toEqual(verdict)
  })

  it.each([
    [200, { message: 'Invalid API Key' }, 'IPGUARD_PROVIDER_REFUSED'],
    [200, { message: 'You have reached the daily request limit.' }, 'IPGUARD_PROVIDER_QUOTA'],
    [200, { message: 'That is no address.' }, 'IPGUARD_PROVIDER_FAILED'],
    [200, { message: 42 }, 'IPGUARD_PROVIDER_FAILED'],
    [200, {}, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { security: {} }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { security: 'none' }, 'IPGUARD_PROVIDER_ANSWER'],
    [403, { message: 'x' }, 'IPGUARD_PROVIDER_REFUSED'],
    [429, { message: 'x' }, 'IPGUARD_PROVIDER_QUOTA'],
    [404, { message: 'x' }, 'IPGUARD_PROVIDER_FAILED'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('asks with the key in the query, and is not made without', async () => {
    const { fetch, asked } = answering({ body: { security: { vpn: false } } })
    const provider = vpnapi({ key: 'a&b', fetch })
    await provider.lookup('2620:7:6001::166', { signal })
    expect(asked[0]?.url).toBe('https://vpnapi.io/api/2620%3A7%3A6001%3A%3A166?key=a%26b')
    expect(provider.quota).toEqual({ perDay: 1_000 })
    expect(() => vpnapi({} as never)).toThrow('vpnapi.key') // as JavaScript would call it
  })
})
