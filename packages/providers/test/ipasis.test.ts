import { providerSuite } from '@ipguard/conformance'
import { describe, expect, it, test } from 'vitest'
import { type IpasisOptions, ipasis } from '../src/ipasis.ts'
import { answering, lookup } from './answering.ts'

const key = 'k/1'
const flat = (more: object = {}): object => ({
  is_proxy: false,
  is_vpn: false,
  is_tor: false,
  is_abuse: false,
  is_crawler: false,
  ...more,
})
const nested = (more: object = {}): object => ({
  ip: 'x',
  city: 'Y',
  asn: { ASN: 64_500, Name: 'Z', Type: 'hosting' },
  privacy: {
    VPN: false,
    Proxy: false,
    Tor: false,
    Relay: false,
    Hosting: false,
    Abuse: false,
    Crawler: false,
    ...more,
  },
  abuse: { Email: 'abuse@net.example' },
})

const FORMS = [
  { api: 'v1', keyIn: 'header', clean: nested(), bad: nested({ VPN: true, Abuse: true, Service: 'Some VPN' }) },
  { api: 'v1', keyIn: 'query', clean: flat(), bad: flat({ is_vpn: true }) },
  { api: 'json', keyIn: 'query', clean: flat(), bad: flat({ is_tor: true }) },
  { api: 'json', keyIn: 'header', clean: nested(), bad: nested({ Tor: true }) },
] as const

describe.each(FORMS)('ipasis by $api, the key in the $keyIn', ({ api, keyIn, clean, bad }) => {
  providerSuite({
    test,
    expect,
    create: ({ baseUrl, timeout, key: its }) => ipasis({ baseUrl, timeout, key: its, api, keyIn }),
    http: {
      listed: () => ({ body: bad }),
      unlisted: () => ({ body: clean }),
      refused: { status: 403, body: {} },
      wrong: [
        { body: { ip: 'x' } },
        { body: { privacy: {} } },
        { body: { privacy: [] } },
        { body: { is_vpn: 'maybe' } },
      ],
    },
  })
})

describe('what ipasis answers', () => {
  it.each([
    [flat({ is_vpn: true }), { score: 50, categories: ['vpn'] }],
    [flat({ is_vpn: 1, is_abuse: 'yes' }), { score: 100, categories: ['vpn', 'abuse'] }],
    [flat({ is_tor: 'true' }), { score: 60, categories: ['tor'] }],
    [flat({ is_crawler: true }), { score: 0, categories: ['crawler'] }],
    [nested({ Proxy: true, Service: 'Name' }), { score: 50, categories: ['proxy'], detail: 'Name' }],
    [nested({ AI: true, Crawler: true }), { score: 0, categories: ['crawler'] }],
    [nested({ Relay: true, Hosting: true }), { score: 35, categories: ['relay', 'hosting'] }],
    [{ Privacy: { vpn: true } }, { score: 50, categories: ['vpn'] }],
    [{ PRIVACY: { TOR: false } }, undefined],
    [{ is_vpn: false }, undefined],
  ])('%j is %j', async (body, verdict) => {
    expect(await lookup(ipasis({ key, fetch: answering(body).fetch }))).toEqual(verdict)
  })

  it('counts by the scores that it is given', async () => {
    const options = { key, scores: { vpn: 5, tor: 90 }, fetch: answering(flat({ is_vpn: true, is_tor: true })).fetch }
    expect((await lookup(ipasis(options)))?.score).toBe(95)
    expect(ipasis(options).version).not.toBe(ipasis({ key }).version)
  })

  it.each([
    [400, 'IPGUARD_PROVIDER_FAILED'],
    [401, 'IPGUARD_PROVIDER_REFUSED'],
    [403, 'IPGUARD_PROVIDER_REFUSED'],
    [429, 'IPGUARD_PROVIDER_QUOTA'],
  ])('status %s is %s', async (status, code) => {
    const { fetch } = answering(flat(), { status })
    await expect(lookup(ipasis({ key, fetch }))).rejects.toMatchObject({ code })
  })
})

it.each([
  [{}, 'https://api.ipasis.com/v1/lookup?ip=2001%3Adb8%3A%3A7', 'k/1'],
  [{ keyIn: 'query' }, 'https://api.ipasis.com/v1/lookup?ip=2001%3Adb8%3A%3A7&key=k%2F1', null],
  [{ api: 'json' }, 'https://api.ipasis.com/json/2001%3Adb8%3A%3A7?key=k%2F1', null],
  [{ api: 'json', keyIn: 'header' }, 'https://api.ipasis.com/json/2001%3Adb8%3A%3A7', 'k/1'],
] satisfies [Partial<IpasisOptions>, string, string | null][])(
  'ipasis with %j asks %s',
  async (options, url, sentKey) => {
    const { fetch, sent } = answering(flat(), { keyHeader: 'x-api-key' })
    await lookup(ipasis({ key, fetch, ...options }), '2001:db8::7')
    expect(sent).toEqual([{ method: 'GET', url, key: sentKey, body: '' }])
  },
)

it.each([
  [{}, 'ipasis.key is undefined'],
  [{ key: '' }, 'ipasis.key'],
  [{ key: 'a\nb' }, 'ipasis.key'],
  [{ key, api: 'v2' }, 'ipasis.api'],
  [{ key, keyIn: 'path' }, 'ipasis.keyIn'],
  [{ key, scores: { vpn: 101 } }, 'ipasis.scores.vpn'],
  [{ key, scores: { vnp: 1 } }, 'ipasis.scores has no option "vnp"'],
  [undefined, 'ipasis is undefined'],
])('options of ipasis refuse %j', (options, start) => {
  expect(() => ipasis(options as never)).toThrow(start)
})
