import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { ipinfo } from '../src/ipinfo.ts'
import { answering, ask, errorOf, signal } from './ask.ts'

const read = async (body: unknown, status = 200): Promise<unknown> =>
  ask((options) => ipinfo({ ...options, key: 'k' }), { status, body })

describe('ipinfo', () => {
  it.each<[plan: string, body: object, verdict: Verdict | undefined]>([
    [
      'core',
      { is_anonymous: false, is_hosting: false, is_anycast: true, is_mobile: true, is_satellite: false },
      undefined,
    ],
    ['core', { is_anonymous: true, is_hosting: false }, { score: 50, categories: ['proxy'] }],
    ['core', { is_anonymous: true, is_hosting: true }, { score: 75, categories: ['hosting', 'proxy'] }],
    ['core', { is_anonymous: false, is_hosting: true }, { score: 25, categories: ['hosting'] }],
    [
      'plus',
      { is_anonymous: true, anonymous: { name: 'V', is_vpn: true } },
      { score: 40, categories: ['vpn'], detail: 'V' },
    ],
    ['plus', { is_anonymous: true, anonymous: { is_proxy: true } }, { score: 50, categories: ['proxy'] }],
    ['plus', { is_anonymous: true, anonymous: { is_tor: true } }, { score: 60, categories: ['tor'] }],
    ['plus', { is_anonymous: true, anonymous: { name: '', is_relay: true } }, { score: 10, categories: ['relay'] }],
    ['plus', { anonymous: { is_vpn: false, is_tor: null } }, undefined],
    ['privacy', { vpn: false, proxy: false, tor: false, relay: false, hosting: false, service: '' }, undefined],
    ['privacy', { vpn: true, hosting: true, service: 'S' }, { score: 65, categories: ['vpn', 'hosting'], detail: 'S' }],
    ['privacy', { proxy: true, tor: 'true', relay: 1 }, { score: 100, categories: ['proxy', 'tor', 'relay'] }],
    ['any', { ip: '10.0.0.1', bogon: true }, undefined],
  ])('reads an answer of %s: %j', async (_, body, verdict) => {
    expect(await read(body)).toEqual(verdict)
  })

  it.each([
    [200, { ip: '9.9.9.9', asn: 'AS64500', as_name: 'Example', country_code: 'CH' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { is_anonymous: 'N/A', anonymous: null }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { error: { title: 'Rate limit exceeded', message: 'x' } }, 'IPGUARD_PROVIDER_QUOTA'],
    [200, { error: 'Please provide a valid IP address' }, 'IPGUARD_PROVIDER_FAILED'],
    [400, { error: 'Please provide a valid IP address' }, 'IPGUARD_PROVIDER_FAILED'],
    [403, { status: 403, error: { title: 'Unknown token', message: 'x' } }, 'IPGUARD_PROVIDER_REFUSED'],
    [404, { status: 404, error: { title: 'Wrong ip', message: 'x' } }, 'IPGUARD_PROVIDER_FAILED'],
    [429, { status: 429, error: { title: 'Rate limit exceeded', message: 'x' } }, 'IPGUARD_PROVIDER_QUOTA'],
    [500, 'Internal Server Error', 'IPGUARD_PROVIDER_FAILED'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it.each([
    ['core', 'https://api.ipinfo.io/lookup/9.9.9.9'],
    ['plus', 'https://api.ipinfo.io/plus/9.9.9.9'],
    ['privacy', 'https://ipinfo.io/9.9.9.9/privacy'],
  ] as const)('asks the plan %s at %s, with the token in a header', async (plan, url) => {
    const { fetch, asked } = answering({ body: { is_hosting: false } })
    const provider = ipinfo({ key: 'secret', plan, fetch })
    await provider.lookup('9.9.9.9', { signal })
    expect([asked[0]?.url, asked[0]?.headers.get('authorization')]).toEqual([url, 'Bearer secret'])
    expect([provider.version, provider.quota]).toEqual([plan, { perDay: 5_000 }])
  })

  it('counts with scores of its own, which are part of the version', async () => {
    const scores = { vpn: 99, relay: 1 }
    const body = { anonymous: { is_vpn: true } }
    expect(await ask((options) => ipinfo({ ...options, key: 'k', scores }), { body })).toMatchObject({ score: 99 })
    expect(ipinfo({ key: 'k', scores }).version).toMatch(/^core;[0-9a-f]{16}$/)
  })

  it.each([
    [{}, 'ipinfo.key'],
    [{ key: 'k', plan: 'lite' }, 'ipinfo.plan'],
    [{ key: 'k', plan: 'toString' }, 'ipinfo.plan'],
    [{ key: 'k', scores: { VPN: 1 } }, 'VPN'],
    [{ key: 'k', token: 't' }, 'no option "token"'],
  ])('refuses the options %j', (options, words) => {
    expect(() => ipinfo(options as never)).toThrow(words) // as JavaScript would call it
  })

  it('does not show the token', async () => {
    const { fetch } = answering({ body: { error: 'token canary is wrong' } })
    expect((await errorOf(ipinfo({ key: 'canary', fetch }).lookup('9.9.9.9', { signal }))).message).not.toContain(
      'canary',
    )
  })
})
