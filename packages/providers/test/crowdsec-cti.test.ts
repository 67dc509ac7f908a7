import type { Category, Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { crowdsecCti } from '../src/crowdsec-cti.ts'
import { answering, ask, signal } from './ask.ts'
import { CTI } from './http-sources.ts'

const CALM = { reputation: 'unknown', behaviors: [], classifications: { false_positives: [], classifications: [] } }
const total = (value: unknown): object => ({ scores: { overall: { total: value } } })
const read = async (body: unknown, status = 200): Promise<unknown> =>
  ask((options) => crowdsecCti({ ...options, key: 'k' }), { status, body })

describe('crowdsecCti', () => {
  it('reads an item as the vendor publishes it', async () => {
    expect(await read(CTI)).toEqual({
      score: 60,
      categories: ['brute-force', 'scanner'],
      detail: 'http:bruteforce, http:scan',
    })
  })

  it.each<[body: object, verdict: Verdict | undefined]>([
    [{ ...CALM, ...total(0) }, undefined],
    [{ ...CALM, ...total(5), reputation: 'malicious' }, { score: 100 }],
    [{ ...CALM, ...total('2'), reputation: 'malicious' }, { score: 40 }],
    [
      { ...CALM, reputation: 'malicious', confidence: 'high' },
      { score: 80, confidence: 1 },
    ],
    [
      { ...CALM, reputation: 'suspicious', confidence: 'medium' },
      { score: 50, confidence: 0.75 },
    ],
    [
      { ...CALM, reputation: 'known', confidence: 'low' },
      { score: 20, confidence: 0.5 },
    ],
    [{ ...CALM, reputation: 'malicious', confidence: 'N/A' }, { score: 80 }],
    [{ ...CALM, reputation: 'unknown' }, undefined],
    [
      { ...CALM, ...total(5), reputation: 'safe' },
      { score: 0, detail: 'known good: safe' },
    ],
    [
      { ...CTI, classifications: { false_positives: [{ name: 'cdn:exit_node' }] } },
      { score: 0, detail: 'known good: cdn:exit_node' },
    ],
    [
      { ...CTI, classifications: { false_positives: [{ name: 'seo:duckduckbot' }] } },
      { score: 0, categories: ['crawler'], detail: 'known good: seo:duckduckbot' },
    ],
    [
      { ...CTI, classifications: { false_positives: [{}] } },
      { score: 0, detail: 'known good: without a name' },
    ],
    [{ ...total(3) }, { score: 60 }],
  ])('reads %j', async (body, verdict) => {
    expect(await read(body)).toEqual(verdict)
  })

  it.each<[name: string, categories: readonly Category[] | undefined]>([
    ['ssh:bruteforce', ['brute-force']],
    ['pop3/imap:bruteforce', ['brute-force']],
    ['tcp:scan', ['scanner']],
    ['http:exploit', ['abuse']],
    ['http:crawl', ['abuse']],
    ['http:spam', ['spam']],
    ['smtp:spam', ['spam']],
    ['http:dos', ['ddos']],
    ['proxy:vpn', ['vpn']],
    ['proxy:tor', ['tor']],
    ['profile:proxy', ['proxy']],
    ['range:data_center', ['hosting']],
    ['profile:likely_botnet', ['botnet']],
    ['scanner:censys', ['scanner']],
    ['community-blocklist', undefined],
    ['profile:router', undefined],
  ])('maps %s to %j', async (name, categories) => {
    const item = { ...CALM, ...total(1) }
    expect(await read({ ...item, behaviors: [{ name, label: 'x' }] })).toMatchObject({ score: 20, detail: name })
    const classified = await read({ ...item, classifications: { classifications: [{ name }] } })
    expect(classified).toEqual({ score: 20, detail: name, ...(categories && { categories }) })
  })

  it.each([
    [200, {}, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { ...CALM, reputation: 'a new word' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { ...CALM, ...total(6), reputation: undefined }, 'IPGUARD_PROVIDER_ANSWER'],
    [404, { message: 'IP address information not found' }, undefined],
    [403, { message: 'Forbidden' }, 'IPGUARD_PROVIDER_REFUSED'],
    [429, { message: 'Limit Exceeded' }, 'IPGUARD_PROVIDER_QUOTA'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('sends the key in a header, four times a day, and is not made without', async () => {
    const { fetch, asked } = answering({ status: 404, body: {} })
    const provider = crowdsecCti({ key: 'secret', fetch })
    await provider.lookup('9.9.9.9', { signal })
    expect(asked.map(({ url, headers }) => [url, headers.get('x-api-key')])).toEqual([
      ['https://cti.api.crowdsec.net/v2/smoke/9.9.9.9', 'secret'],
    ])
    expect(provider.quota).toEqual({ perDay: 4 })
    expect(() => crowdsecCti({} as never)).toThrow('crowdsecCti.key') // as JavaScript would call it
  })
})
