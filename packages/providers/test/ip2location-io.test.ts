import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { ip2locationIo } from '../src/ip2location-io.ts'
import { answering, ask, signal } from './ask.ts'
import { SECURITY } from './http-sources.ts'

const read = async (body: unknown, status = 200): Promise<unknown> => ask(ip2locationIo, { status, body })
const NONE = Object.fromEntries(Object.keys(SECURITY.proxy).map((name) => [name, name.startsWith('is_') ? false : '-']))
const withProxy = (proxy: object, more: object = {}): object => ({
  is_proxy: true,
  proxy: { ...NONE, ...proxy },
  ...more,
})

describe('ip2locationIo', () => {
  it.each<[body: object, verdict: Verdict | undefined]>([
    [{ is_proxy: false }, undefined],
    [{ is_proxy: true }, { score: 25, detail: 'a proxy of unknown kind' }],
    [{ is_proxy: true, fraud_score: 60 }, { score: 60 }],
    [{ is_proxy: false, fraud_score: 0, proxy: NONE }, undefined],
    [{ is_proxy: false, fraud_score: '3', proxy: NONE }, { score: 3 }],
    [SECURITY, { score: 73, categories: ['vpn', 'hosting'], detail: 'Example VPN' }],
    [withProxy({ is_vpn: true }), { score: 40, categories: ['vpn'] }],
    [withProxy({ is_tor: true }), { score: 60, categories: ['tor'] }],
    [withProxy({ is_data_center: true }), { score: 25, categories: ['hosting'] }],
    [withProxy({ is_public_proxy: true, is_web_proxy: true }), { score: 50, categories: ['proxy'] }],
    [withProxy({ is_residential_proxy: true }), { score: 60, categories: ['residential-proxy'] }],
    [withProxy({ is_spammer: true }), { score: 50, categories: ['spam'] }],
    [withProxy({ is_scanner: true }), { score: 50, categories: ['scanner'] }],
    [withProxy({ is_botnet: true }), { score: 70, categories: ['botnet'] }],
    [withProxy({ is_bogon: true }), { score: 25, detail: 'a proxy of unknown kind' }],
    [withProxy({ is_consumer_privacy_network: true }), { score: 10, categories: ['relay'] }],
    [
      withProxy({ is_enterprise_private_network: true }, { fraud_score: 90 }),
      { score: 0, categories: ['enterprise-vpn'] },
    ],
    [
      withProxy({ is_web_crawler: true, is_data_center: true }, { fraud_score: 90 }),
      { score: 0, categories: ['crawler'] },
    ],
    [withProxy({ proxy_type: 'VPN' }), { score: 40, categories: ['vpn'] }],
    [withProxy({ proxy_type: 'TOR' }), { score: 60, categories: ['tor'] }],
    [withProxy({ proxy_type: 'PUB' }), { score: 50, categories: ['proxy'] }],
    [withProxy({ proxy_type: 'WEB' }), { score: 50, categories: ['proxy'] }],
    [withProxy({ proxy_type: 'DCH' }), { score: 25, categories: ['hosting'] }],
    [withProxy({ proxy_type: 'SES' }, { fraud_score: 99 }), { score: 0, categories: ['crawler'] }],
    [withProxy({ proxy_type: 'RES' }), { score: 60, categories: ['residential-proxy'] }],
    [withProxy({ proxy_type: 'CPN' }), { score: 10, categories: ['relay'] }],
    [withProxy({ proxy_type: 'EPN' }), { score: 0, categories: ['enterprise-vpn'] }],
    [withProxy({ proxy_type: 'EPN', threat: 'SPAM' }), { score: 50, categories: ['enterprise-vpn', 'spam'] }],
    [withProxy({ threat: 'SPAM/SCANNER/BOTNET' }), { score: 100, categories: ['spam', 'scanner', 'botnet'] }],
    [withProxy({ threat: 'BOGON' }), { score: 25, detail: 'a proxy of unknown kind' }],
    [withProxy({ proxy_type: 'constructor' }), { score: 25, detail: 'a proxy of unknown kind' }],
  ])('reads %j', async (body, verdict) => {
    expect(await read(body)).toEqual(verdict)
  })

  it.each([
    [200, {}, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { ip: '9.9.9.9', is_proxy: '-' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { error: { error_code: 10_000, error_message: 'Invalid API key.' } }, 'IPGUARD_PROVIDER_REFUSED'],
    [400, { error: { error_code: 10_002, error_message: 'Invalid IP address.' } }, 'IPGUARD_PROVIDER_FAILED'],
    [400, { error: { error_code: 10_001, error_message: 'API key not found.' } }, 'IPGUARD_PROVIDER_REFUSED'],
    [401, { error: { error_code: 10_003, error_message: 'Insufficient credit.' } }, 'IPGUARD_PROVIDER_QUOTA'],
    [401, {}, 'IPGUARD_PROVIDER_REFUSED'],
    [400, '<html>', 'IPGUARD_PROVIDER_FAILED'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('asks with a key and without', async () => {
    const { fetch, asked } = answering({ body: { is_proxy: false } })
    await ip2locationIo({ fetch, key: 'a&b' }).lookup('2620:7:6001::166', { signal })
    await ip2locationIo({ fetch }).lookup('9.9.9.9', { signal })
    expect(asked.map(({ url }) => url)).toEqual([
      'https://api.ip2location.io/?ip=2620%3A7%3A6001%3A%3A166&format=json&key=a%26b',
      'https://api.ip2location.io/?ip=9.9.9.9&format=json',
    ])
    expect([ip2locationIo().quota, ip2locationIo({ key: 'k' }).quota]).toEqual([{ perDay: 1_000 }, { perDay: 1_600 }])
    expect([ip2locationIo().version, ip2locationIo({ key: 'k' }).version]).toEqual(['', 'key'])
  })
})
