import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { ipdata } from '../src/ipdata.ts'
import { answering, ask, errorOf, signal } from './ask.ts'
import { THREAT } from './http-sources.ts'

const CLEAN = {
  is_tor: false,
  is_icloud_relay: false,
  is_proxy: false,
  is_datacenter: false,
  is_anonymous: false,
  is_known_attacker: false,
  is_known_abuser: false,
  is_threat: false,
  is_bogon: false,
  blocklists: [],
}
const read = async (body: unknown, status = 200): Promise<unknown> =>
  ask((options) => ipdata({ ...options, key: 'k' }), { status, body })

describe('ipdata', () => {
  it.each<[change: object, verdict: Verdict | undefined]>([
    [{}, undefined],
    [
      { is_tor: true, is_anonymous: true },
      { score: 60, categories: ['tor'] },
    ],
    [
      { is_icloud_relay: true, is_anonymous: true },
      { score: 10, categories: ['relay'] },
    ],
    [
      { is_proxy: true, is_anonymous: true },
      { score: 50, categories: ['proxy'] },
    ],
    [
      { is_vpn: true, is_anonymous: true },
      { score: 40, categories: ['vpn'] },
    ],
    [{ is_datacenter: true }, { score: 25, categories: ['hosting'] }],
    [
      { is_datacenter: true, is_anonymous: true },
      { score: 75, categories: ['hosting', 'proxy'] },
    ],
    [{ is_anonymous: true }, { score: 50, categories: ['proxy'] }],
    [
      { is_known_attacker: true, is_threat: true },
      { score: 60, categories: ['abuse'] },
    ],
    [
      { is_known_abuser: true, is_threat: true },
      { score: 60, categories: ['abuse'] },
    ],
    [{ is_threat: true }, { score: 60, categories: ['abuse'] }],
    [{ is_bogon: true, is_threat: true }, undefined],
    [{ scores: { vpn_score: 0, proxy_score: 0, threat_score: 97, trust_score: 3 } }, { score: 97 }],
    [
      { is_tor: true, scores: { threat_score: '20' } },
      { score: 60, categories: ['tor'] },
    ],
    [{ scores: { threat_score: 1_000 } }, undefined],
    [
      { is_tor: 'true', is_proxy: '', is_vpn: 'N/A' },
      { score: 60, categories: ['tor'] },
    ],
    [{ ...THREAT }, { score: 100, categories: ['tor', 'hosting', 'abuse'], detail: 'on Example List' }],
    [
      { is_threat: true, blocklists: [{ name: '' }, null, { name: 'A' }] },
      { score: 60, categories: ['abuse'], detail: 'on A' },
    ],
  ])('reads a threat with %j', async (change, verdict) => {
    expect(await read({ ip: '185.220.101.34', threat: { ...CLEAN, ...change }, count: '42' })).toEqual(verdict)
  })

  it.each([
    [200, {}, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { threat: {} }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { threat: [] }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { threat: { blocklists: [] } }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { message: 'You have exceeded your quota.' }, 'IPGUARD_PROVIDER_QUOTA'],
    [400, { message: '127.0.0.1 is a private IP address' }, undefined],
    [400, { message: 'x does not appear to be an IPv4 or IPv6 address' }, 'IPGUARD_PROVIDER_FAILED'],
    [400, '<html>', 'IPGUARD_PROVIDER_FAILED'],
    [401, { message: 'You have not provided a valid API Key.' }, 'IPGUARD_PROVIDER_REFUSED'],
    [403, { message: 'You have exceeded your quota.' }, 'IPGUARD_PROVIDER_QUOTA'],
    [403, { message: 'Your key is not known.' }, 'IPGUARD_PROVIDER_QUOTA'],
    [403, '<html>', 'IPGUARD_PROVIDER_QUOTA'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('tells the operator that 403 may also be the key', async () => {
    const { fetch } = answering({ status: 403, body: {} })
    expect((await errorOf(ipdata({ key: 'canary', fetch }).lookup('9.9.9.9', { signal }))).message).toContain('the key')
  })

  it('asks with the key in the query', async () => {
    const { fetch, asked } = answering({ body: { threat: CLEAN } })
    const provider = ipdata({ key: 'a&b', fetch, baseUrl: 'https://eu-api.ipdata.co/' })
    await provider.lookup('2620:7:6001::166', { signal })
    expect(asked[0]?.url).toBe('https://eu-api.ipdata.co/2620%3A7%3A6001%3A%3A166?api-key=a%26b')
    expect(provider.quota).toEqual({ perDay: 1_500 })
  })

  it('refuses to be made without a key', () => {
    expect(() => ipdata({} as never)).toThrow('ipdata.key') // as JavaScript would call it
  })
})
