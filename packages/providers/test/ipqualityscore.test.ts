import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { ipqualityscore } from '../src/ipqualityscore.ts'
import { answering, ask, errorOf, signal } from './ask.ts'
import { IPQS } from './http-sources.ts'

const CLEAN = {
  ...IPQS,
  fraud_score: 0,
  proxy: false,
  tor: false,
  active_tor: false,
  recent_abuse: false,
  abuse_velocity: 'none',
}
const read = async (body: unknown, status = 200): Promise<unknown> =>
  ask((options) => ipqualityscore({ ...options, key: 'k' }), { status, body })

describe('ipqualityscore', () => {
  it.each<[what: string, change: object, verdict: Verdict | undefined]>([
    ['nothing', {}, undefined],
    ['a score alone', { fraud_score: 25 }, { score: 25 }],
    ['a score as text', { fraud_score: '25' }, { score: 25 }],
    ['vpn', { fraud_score: 75, vpn: true, proxy: true }, { score: 75, categories: ['vpn'] }],
    ['active_vpn', { active_vpn: true, proxy: true }, { score: 0, categories: ['vpn'] }],
    ['tor', { fraud_score: 80, tor: true, proxy: true }, { score: 80, categories: ['tor'] }],
    ['active_tor', { active_tor: 1 }, { score: 0, categories: ['tor'] }],
    ['proxy alone', { fraud_score: 75, proxy: 'true' }, { score: 75, categories: ['proxy'] }],
    ['recent_abuse', { recent_abuse: true }, { score: 0, categories: ['abuse'] }],
    ['bot_status', { bot_status: true }, { score: 0, categories: ['abuse'] }],
    ['connection_type', { connection_type: 'Data Center' }, { score: 0, categories: ['hosting'] }],
    ['connection_type of others', { connection_type: 'Residential' }, undefined],
    [
      'a crawler, whatever else',
      { fraud_score: 100, is_crawler: true, proxy: true },
      { score: 0, categories: ['crawler'] },
    ],
    ['abuse_velocity', { fraud_score: 90, abuse_velocity: 'high' }, { score: 90, detail: 'abuse velocity high' }],
    ['placeholders', { abuse_velocity: 'Premium required.', connection_type: 'N/A', vpn: '', tor: 'N/A' }, undefined],
    ['missing flags', { vpn: undefined, tor: undefined, is_crawler: null }, undefined],
  ])('reads %s', async (_, change, verdict) => {
    expect(await read({ ...CLEAN, ...change })).toEqual(verdict)
  })

  it.each([
    ['Invalid or unauthorized key. Please check the API key and try again.', 'IPGUARD_PROVIDER_REFUSED'],
    ['You have insufficient credits to make this query.', 'IPGUARD_PROVIDER_QUOTA'],
    ['You have exceeded your request quota of 35 per day.', 'IPGUARD_PROVIDER_QUOTA'],
    ['Invalid IPv4 address, IPv6 address or hostname. Please check it.', 'IPGUARD_PROVIDER_FAILED'],
    [undefined, 'IPGUARD_PROVIDER_ANSWER'],
  ])('takes success: false with %j for %s', async (message, code) => {
    expect(await read({ success: false, message, request_id: 'a' })).toBe(code)
  })

  it.each([{}, { fraud_score: 50 }, { ...IPQS, fraud_score: null }, { ...IPQS, fraud_score: -1 }])(
    'does not take %j for an answer',
    async (body) => {
      expect(await read(body)).toBe('IPGUARD_PROVIDER_ANSWER')
    },
  )

  it('sends the key in the path and the settings as a query, which is the version', async () => {
    const { fetch, asked } = answering({ body: IPQS })
    const provider = ipqualityscore({ key: 'a/b', strictness: 2, fast: true, allowPublicAccessPoints: false, fetch })
    await provider.lookup('2620:7:6001::166', { signal })
    expect(asked[0]?.url).toBe(
      'https://www.ipqualityscore.com/api/json/ip/a%2Fb/2620%3A7%3A6001%3A%3A166?strictness=2&allow_public_access_points=false&fast=true',
    )
    expect(provider.version).toBe('strictness=2&allow_public_access_points=false&fast=true')
    expect([provider.name, provider.quota, provider.ttl]).toEqual([
      'ipqualityscore',
      { perDay: 35 },
      { verdict: '6h', unlisted: '6h' },
    ])
  })

  it('shows what the vendor says, without the key', async () => {
    const { fetch } = answering({ body: { success: false, message: 'You have insufficient credits for canary-key.' } })
    const error = await errorOf(ipqualityscore({ key: 'canary-key', fetch }).lookup('9.9.9.9', { signal }))
    expect(error.message).toContain('insufficient credits for [redacted].')
  })

  it('quotes nothing that is longer than it shows: a key could be cut in two', async () => {
    const { fetch } = answering({ body: { success: false, message: `${'x'.repeat(294)} canary-key and more` } })
    const error = await errorOf(ipqualityscore({ key: 'canary-key', fetch }).lookup('9.9.9.9', { signal }))
    expect(error.message).not.toContain('can')
  })

  it.each([
    [{}, 'ipqualityscore.key'],
    [{ key: '' }, 'ipqualityscore.key'],
    [{ key: 'k', strictness: 4 }, 'strictness'],
    [{ key: 'k', fast: 'yes' }, 'fast'],
    [{ key: 'k', strict: 1 }, 'no option "strict"'],
  ])('refuses the options %j', (options, words) => {
    expect(() => ipqualityscore(options as never)).toThrow(words) // as JavaScript would call it
  })
})
