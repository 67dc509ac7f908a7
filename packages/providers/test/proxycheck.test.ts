import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { proxycheck } from '../src/proxycheck.ts'
import { answering, ask, errorOf, signal } from './ask.ts'
import { CLEAN_DETECTIONS, PROXYCHECK } from './http-sources.ts'

const IP = '185.220.101.34'
const CLEAN = { ...PROXYCHECK, network: { type: 'Residential' }, operator: null, detections: CLEAN_DETECTIONS }

describe('proxycheck, version 3', () => {
  const read = async (detections: object, more: object = {}): Promise<unknown> =>
    ask(proxycheck, {
      body: {
        status: 'ok',
        [IP]: { ...CLEAN, detections: { ...CLEAN_DETECTIONS, ...detections }, ...more },
        query_time: 3,
      },
    })

  it.each<[what: string, detections: object, verdict: Verdict | undefined]>([
    ['nothing', {}, undefined],
    ['proxy', { proxy: true, anonymous: true, risk: 80 }, { score: 80, categories: ['proxy'], confidence: 1 }],
    ['vpn', { vpn: true, anonymous: true, risk: 66 }, { score: 66, categories: ['vpn'], confidence: 1 }],
    ['tor', { tor: true, anonymous: true, risk: 100 }, { score: 100, categories: ['tor'], confidence: 1 }],
    ['compromised', { compromised: true, risk: 90 }, { score: 90, categories: ['malware'], confidence: 1 }],
    ['scraper', { scraper: true, risk: 30 }, { score: 30, categories: ['crawler'], confidence: 1 }],
    ['hosting', { hosting: true }, { score: 0, categories: ['hosting'], confidence: 1 }],
    ['anonymous alone', { anonymous: true, risk: 50 }, { score: 50, categories: ['proxy'], confidence: 1 }],
    ['confidence', { vpn: true, risk: 66, confidence: 40 }, { score: 66, categories: ['vpn'], confidence: 0.4 }],
    ['no confidence', { vpn: true, risk: 66, confidence: null }, { score: 66, categories: ['vpn'] }],
    ['no risk', { vpn: true, risk: null, confidence: null }, { score: 40, categories: ['vpn'] }],
    ['a risk out of range', { vpn: true, risk: 1_000, confidence: null }, { score: 40, categories: ['vpn'] }],
    [
      'words for yes and no',
      { vpn: 'yes', proxy: 'no', tor: 0, risk: '66' },
      { score: 66, categories: ['vpn'], confidence: 1 },
    ],
  ])('reads %s', async (_, detections, verdict) => {
    expect(await read(detections)).toEqual(verdict)
  })

  it.each([
    ['network.type Hosting', { network: { type: 'Hosting' } }, { score: 0, categories: ['hosting'], confidence: 1 }],
    ['network.type of others', { network: { type: 'Wireless' } }, undefined],
    ['a network that is none', { network: 'N/A' }, undefined],
    ['the operator', { operator: { name: 'Example VPN' } }, { score: 0, confidence: 1, detail: 'Example VPN' }],
  ])('reads %s', async (_, more, verdict) => {
    expect(await read({}, more)).toEqual(verdict)
  })

  it('takes an answer with a warning', async () => {
    const body = { status: 'warning', message: 'You are within 10 % of your quota.', [IP]: PROXYCHECK }
    expect(await ask(proxycheck, { body })).toEqual({
      score: 66,
      categories: ['vpn', 'hosting'],
      confidence: 1,
      detail: 'Example VPN',
    })
  })

  it('finds an IPv6 address in another spelling', async () => {
    const body = { status: 'ok', '2620:0007:6001:0:0:0:0:166': PROXYCHECK }
    expect(await ask(proxycheck, { body }, '2620:7:6001::166')).toMatchObject({ score: 66 })
  })

  it.each([
    [401, { status: 'denied', message: 'Your access key is not valid.' }, 'IPGUARD_PROVIDER_REFUSED'],
    [403, { status: 'denied', message: 'Blocked, as you use a proxy.' }, 'IPGUARD_PROVIDER_REFUSED'],
    [403, { status: 'denied', message: '1,000 free queries exhausted.' }, 'IPGUARD_PROVIDER_QUOTA'],
    [403, '<html>', 'IPGUARD_PROVIDER_REFUSED'],
    [429, { status: 'denied', message: 'More than 200 requests per second.' }, 'IPGUARD_PROVIDER_QUOTA'],
    [429, '<html>', 'IPGUARD_PROVIDER_QUOTA'],
    [400, { status: 'error', message: 'No valid IP addresses supplied.' }, 'IPGUARD_PROVIDER_FAILED'],
    [200, { status: 'error', message: 'No valid IP addresses supplied.' }, 'IPGUARD_PROVIDER_FAILED'],
    [200, { status: 'denied' }, 'IPGUARD_PROVIDER_REFUSED'],
    [200, { status: 'fine' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'ok' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'ok', [IP]: null }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'ok', [IP]: { detections: null } }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'ok', [IP]: { detections: {} } }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'ok', '9.9.9.9': PROXYCHECK }, 'IPGUARD_PROVIDER_ANSWER'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await ask(proxycheck, { status, body })).toBe(code)
  })

  it('pins the dated behaviour; settings are the version, the key is not', async () => {
    const { fetch, asked } = answering({ body: { status: 'ok', [IP]: PROXYCHECK } })
    const provider = proxycheck({ key: 'secret', days: 30, scores: { vpn: 5 }, fetch })
    await provider.lookup(IP, { signal })
    expect(asked[0]?.url).toBe(`https://proxycheck.io/v3/${IP}?ver=24-June-2026&days=30&key=secret`)
    expect(provider.version).toMatch(/^v3\?ver=24-June-2026&days=30;[0-9a-f]{16}$/)
    expect([provider.quota, proxycheck().quota]).toEqual([{ perDay: 1_000 }, { perDay: 100 }])
    expect(proxycheck({ ver: '1-May-2027' }).version).toBe('v3?ver=1-May-2027')
  })

  it.each([
    [{ key: 'two words' }, 'proxycheck.key'],
    [{ version: 1 }, 'proxycheck.version'],
    [{ ver: '2026-06-24' }, 'proxycheck.ver'],
    [{ version: 2, ver: '24-June-2026' }, 'proxycheck.ver'],
    [{ days: 0 }, 'proxycheck.days'],
    [{ scores: { vpn: 101 } }, 'proxycheck.scores.vpn'],
  ])('refuses the options %j', (options, words) => {
    expect(() => proxycheck(options as never)).toThrow(words) // as JavaScript would call it
  })
})

describe('proxycheck, version 2', () => {
  const read = async (entry: unknown): Promise<unknown> =>
    ask((options) => proxycheck({ ...options, version: 2 }), {
      body: { status: 'ok', [IP]: entry, 'query time': '0.01s' },
    })

  it.each<[entry: object, verdict: Verdict | undefined]>([
    [{ proxy: 'no', type: 'Business', risk: 0 }, undefined],
    [{ proxy: 'no', type: 'Residential', risk: '0' }, undefined],
    [
      { proxy: 'yes', type: 'VPN', risk: 66 },
      { score: 66, categories: ['vpn'] },
    ],
    [
      { proxy: 'yes', type: 'TOR', risk: 100 },
      { score: 100, categories: ['tor'] },
    ],
    [
      { proxy: 'yes', type: 'SOCKS5', risk: '73' },
      { score: 73, categories: ['proxy'] },
    ],
    [
      { proxy: 'yes', type: 'SOCKS4', risk: 73 },
      { score: 73, categories: ['proxy'] },
    ],
    [
      { proxy: 'yes', type: 'SOCKS', risk: 73 },
      { score: 73, categories: ['proxy'] },
    ],
    [
      { proxy: 'yes', type: 'HTTP', risk: 73 },
      { score: 73, categories: ['proxy'] },
    ],
    [
      { proxy: 'yes', type: 'HTTPS', risk: 73 },
      { score: 73, categories: ['proxy'] },
    ],
    [
      { proxy: 'yes', type: 'Compromised Server', risk: 90 },
      { score: 90, categories: ['malware'] },
    ],
    [
      { proxy: 'yes', type: 'N/A' },
      { score: 50, categories: ['proxy'] },
    ],
    [
      { proxy: 'no', type: 'Hosting', risk: 33 },
      { score: 33, categories: ['hosting'] },
    ],
    [
      { proxy: 'no', vpn: 'yes', type: 'VPN', risk: 66 },
      { score: 66, categories: ['vpn'] },
    ],
    [{ risk: 12 }, { score: 12 }],
  ])('reads %j', async (entry, verdict) => {
    expect(await read(entry)).toEqual(verdict)
  })

  it.each([{}, { proxy: '' }, { proxy: 'N/A', risk: 'N/A' }, { type: 'VPN' }, [], 'no'])(
    'does not take %j for an answer',
    async (entry) => {
      expect(await read(entry)).toBe('IPGUARD_PROVIDER_ANSWER')
    },
  )

  it('asks for VPNs and the risk', async () => {
    const { fetch, asked } = answering({ body: { status: 'error', message: 'x' } })
    await errorOf(proxycheck({ version: 2, fetch }).lookup(IP, { signal }))
    expect(asked[0]?.url).toBe(`https://proxycheck.io/v2/${IP}?vpn=1&risk=1`)
  })
})
