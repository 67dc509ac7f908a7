import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { ipapiIs } from '../src/ipapi-is.ts'
import { answering, ask, signal } from './ask.ts'
import { IPAPI_IS } from './http-sources.ts'

const CLEAN = {
  ...IPAPI_IS,
  is_datacenter: false,
  is_tor: false,
  is_abuser: false,
  datacenter: undefined,
  company: null,
}
const read = async (body: unknown, status = 200): Promise<unknown> => ask(ipapiIs, { status, body })

describe('ipapiIs', () => {
  it.each<[change: object, verdict: Verdict | undefined]>([
    [{}, undefined],
    [{ is_datacenter: true }, { score: 25, categories: ['hosting'] }],
    [{ is_tor: true }, { score: 60, categories: ['tor'] }],
    [{ is_proxy: true }, { score: 50, categories: ['proxy'] }],
    [{ is_vpn: 1 }, { score: 40, categories: ['vpn'] }],
    [{ is_abuser: 'yes' }, { score: 60, categories: ['abuse'] }],
    [{ is_mobile: true, is_satellite: true }, undefined],
    [{ is_bogon: true, is_abuser: true }, undefined],
    [
      { is_crawler: true, is_datacenter: true },
      { score: 0, categories: ['crawler'] },
    ],
    [
      { is_crawler: 'GoogleBot', is_vpn: true },
      { score: 0, categories: ['crawler'], detail: 'GoogleBot' },
    ],
    [
      { is_crawler: '', is_vpn: true },
      { score: 40, categories: ['vpn'] },
    ],
    [
      { is_crawler: 'false', is_vpn: true },
      { score: 40, categories: ['vpn'] },
    ],
    [
      { is_vpn: true, datacenter: { datacenter: 'DC' } },
      { score: 40, categories: ['vpn'], detail: 'DC' },
    ],
    [
      { is_vpn: true, company: { name: 'Co', abuser_score: '0.0045 (Low)' } },
      { score: 40, categories: ['vpn'], detail: 'Co, abuser score of the network 0.0045' },
    ],
    [
      { is_vpn: true, company: { name: 'N/A', abuser_score: 'N/A' } },
      { score: 40, categories: ['vpn'] },
    ],
    [
      { is_vpn: true, company: { abuser_score: '7 (High)' } },
      { score: 40, categories: ['vpn'] },
    ],
  ])('reads %j', async (change, verdict) => {
    expect(await read({ ...CLEAN, ...change })).toEqual(verdict)
  })

  it.each([
    [200, {}, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { is_vpn: 'N/A', is_crawler: null }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { error: 'Daily limit exceeded' }, 'IPGUARD_PROVIDER_QUOTA'],
    [200, { error: 'Invalid API key' }, 'IPGUARD_PROVIDER_REFUSED'],
    [400, { error: 'Invalid IP Address or AS Number', error_code: 'ERR_INVALID_IP_OR_ASN' }, 'IPGUARD_PROVIDER_FAILED'],
    [400, '<html>', 'IPGUARD_PROVIDER_FAILED'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('asks with a key and without, waits a second and counts for half', async () => {
    const { fetch, asked } = answering({ body: CLEAN })
    const provider = ipapiIs({ fetch })
    await provider.lookup('2620:7:6001::166', { signal })
    await ipapiIs({ fetch, key: 'k' }).lookup('9.9.9.9', { signal })
    expect(asked.map(({ url }) => url)).toEqual([
      'https://api.ipapi.is/?q=2620%3A7%3A6001%3A%3A166',
      'https://api.ipapi.is/?q=9.9.9.9&key=k',
    ])
    expect([provider.timeout, provider.weight, provider.quota]).toEqual(['1s', 0.5, { perDay: 1_000 }])
  })
})
