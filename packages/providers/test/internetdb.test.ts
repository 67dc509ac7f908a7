import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { internetdb } from '../src/internetdb.ts'
import { answering, ask, errorOf, signal } from './ask.ts'

const BODY = {
  ip: '9.9.9.9',
  ports: [53, 443],
  cpes: ['cpe:/a:x:y'],
  hostnames: ['dns.example'],
  vulns: ['CVE-2020-1'],
}

describe('internetdb', () => {
  it.each<[tags: readonly unknown[], verdict: Verdict | undefined]>([
    [[], undefined],
    [['vpn'], { score: 40, categories: ['vpn'], detail: 'tags vpn' }],
    [['proxy'], { score: 50, categories: ['proxy'], detail: 'tags proxy' }],
    [['TOR', 'cloud'], { score: 85, categories: ['tor', 'hosting'], detail: 'tags tor, cloud' }],
    [['scanner'], { score: 50, categories: ['scanner'], detail: 'tags scanner' }],
    [['compromised', 'malware'], { score: 70, categories: ['malware'], detail: 'tags compromised, malware' }],
    [['honeypot', 'self-signed'], { score: 0, detail: 'tags honeypot, self-signed' }],
    [['constructor', 7, null, ''], { score: 0, detail: 'tags constructor' }],
  ])('reads the tags %j, and no score from ports and weaknesses', async (tags, verdict) => {
    expect(await ask(internetdb, { body: { ...BODY, tags } })).toEqual(verdict)
  })

  it.each([
    [404, { detail: 'No information available' }, undefined],
    [200, { ...BODY }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { ...BODY, tags: 'vpn' }, 'IPGUARD_PROVIDER_ANSWER'],
    [403, '<html>', 'IPGUARD_PROVIDER_REFUSED'],
    [429, '<html>', 'IPGUARD_PROVIDER_QUOTA'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await ask(internetdb, { status, body })).toBe(code)
  })

  it.each([
    ['public, max-age=43200', 43_200_000],
    ['public, max-age=432000', 432_000_000],
    ['max-age=99999999', 7 * 86_400_000],
    ['max-age=0', undefined],
    ['s-max-age=5', undefined],
    ['no-store', undefined],
  ])('keeps a verdict as long as %j says', async (header, ttl) => {
    const verdict = await ask(internetdb, { headers: { 'cache-control': header }, body: { ...BODY, tags: ['vpn'] } })
    expect(verdict).toEqual({ score: 40, categories: ['vpn'], detail: 'tags vpn', ...(ttl && { ttl }) })
  })

  it.each([
    [{}, 3_600_000],
    [{ 'retry-after': '90' }, 90_000],
  ])('after 429 with the headers %j waits %d ms', async (headers, wait) => {
    const { fetch } = answering({ status: 429, headers, body: '' })
    expect((await errorOf(internetdb({ fetch }).lookup('9.9.9.9', { signal }))).retryAfter).toBe(wait)
  })

  it('asks one address a second', async () => {
    const { fetch, asked } = answering({ status: 404, body: '' })
    const provider = internetdb({ fetch })
    await provider.lookup('2620:7:6001::166', { signal })
    expect([asked[0]?.url, provider.quota]).toEqual([
      'https://internetdb.shodan.io/2620%3A7%3A6001%3A%3A166',
      { perMinute: 60 },
    ])
  })
})
