import type { Provider, Verdict } from '@ipguard/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ipApi } from '../src/ip-api.ts'
import { type Answer, type Asked, answering, ask, errorOf, signal } from './ask.ts'

const GOOD = { status: 'success', countryCode: 'DE', as: 'AS64500 Example', mobile: false, proxy: true, hosting: false }
const read = async (body: unknown, status = 200): Promise<unknown> =>
  ask((options) => ipApi({ ...options, key: 'k' }), { status, body })

describe('ipApi', () => {
  it.each<[body: object, verdict: Verdict | undefined]>([
    [GOOD, { score: 50, categories: ['proxy'] }],
    [{ ...GOOD, proxy: false }, undefined],
    [{ ...GOOD, proxy: false, mobile: true }, undefined],
    [
      { ...GOOD, proxy: false, hosting: true },
      { score: 25, categories: ['hosting'] },
    ],
    [
      { ...GOOD, hosting: 'true' },
      { score: 75, categories: ['proxy', 'hosting'] },
    ],
    [
      { ...GOOD, hosting: undefined },
      { score: 50, categories: ['proxy'] },
    ],
    [{ status: 'fail', message: 'private range', query: '10.0.0.1' }, undefined],
    [{ status: 'fail', message: 'reserved range', query: '127.0.0.1' }, undefined],
  ])('reads %j', async (body, verdict) => {
    expect(await read(body)).toEqual(verdict)
  })

  it.each([
    [200, { status: 'fail', message: 'invalid query', query: 'x' }, 'IPGUARD_PROVIDER_FAILED'],
    [200, { status: 'fail' }, 'IPGUARD_PROVIDER_FAILED'],
    [200, { message: 'private' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'success', countryCode: 'DE' }, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { status: 'success', proxy: '', hosting: 'N/A' }, 'IPGUARD_PROVIDER_ANSWER'],
    [403, { status: 'fail', message: 'SSL unavailable for this endpoint, order a key' }, 'IPGUARD_PROVIDER_REFUSED'],
    [429, '', 'IPGUARD_PROVIDER_QUOTA'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('asks the paid plan over https, with every field that it reads', async () => {
    const { fetch, asked } = answering({ body: GOOD })
    const provider = ipApi({ key: 'secret', fetch })
    await provider.lookup('2620:7:6001::166', { signal })
    const url = new URL(asked[0]?.url ?? '')
    expect(url.origin + url.pathname).toBe('https://pro.ip-api.com/json/2620%3A7%3A6001%3A%3A166')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      fields: 'status,message,countryCode,as,proxy,hosting,mobile,query',
      key: 'secret',
    })
    expect([provider.quota, provider.weight, provider.version]).toEqual([undefined, undefined, 'pro'])
  })

  it('asks the free plan over plain http, and counts it for little', async () => {
    const { fetch, asked } = answering({ body: GOOD })
    const provider = ipApi({ plan: 'free', plainHttp: true, fetch })
    await provider.lookup('9.9.9.9', { signal })
    expect(asked[0]?.url).toMatch(/^http:\/\/ip-api\.com\/json\/9\.9\.9\.9\?fields=/)
    expect([provider.quota, provider.weight, provider.version]).toEqual([{ perMinute: 45 }, 0.25, 'free'])
  })

  it('quotes nothing that came over plain http', async () => {
    const { fetch } = answering({ body: { status: 'fail', message: 'call 555 now' } })
    const { message } = await errorOf(ipApi({ plan: 'free', plainHttp: true, fetch }).lookup('9.9.9.9', { signal }))
    expect(message).not.toContain('555')
  })

  it.each([
    [{}, 'ipApi.key'],
    [{ plan: 'pro' }, 'ipApi.key'],
    [{ plan: 'free' }, 'ipApi.plainHttp'],
    [{ plan: 'free', plainHttp: false }, 'ipApi.plainHttp'],
    [{ plan: 'basic', key: 'k' }, 'ipApi.plan'],
    [{ key: 'k', baseUrl: 'http://pro.ip-api.com' }, 'ipApi.baseUrl'],
  ])('refuses the options %j', (options, words) => {
    expect(() => ipApi(options as never)).toThrow(words) // as JavaScript would call it
  })
})

describe('ipApi, what is left of the minute', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  const free = (...answers: readonly Answer[]): { readonly provider: Provider; readonly asked: readonly Asked[] } => {
    const { fetch, asked } = answering(...answers)
    return { provider: ipApi({ plan: 'free', plainHttp: true, fetch }), asked }
  }

  it('gives the last verdict, then asks nobody until the minute is over', async () => {
    const { provider, asked } = free({ headers: { 'x-rl': '0', 'x-ttl': '13' }, body: GOOD }, { body: GOOD })
    expect(await provider.lookup('9.9.9.9', { signal })).toMatchObject({ score: 50 })
    vi.advanceTimersByTime(3_000)
    expect(await errorOf(provider.lookup('9.9.9.10', { signal }))).toMatchObject({
      code: 'IPGUARD_PROVIDER_QUOTA',
      retryAfter: 10_000,
    })
    expect(asked.length).toBe(1)
    vi.advanceTimersByTime(10_000)
    expect(await provider.lookup('9.9.9.10', { signal })).toMatchObject({ score: 50 })
    expect(asked.length).toBe(2)
  })

  it.each([
    [{ 'x-rl': '1', 'x-ttl': '13' }, undefined],
    [{ 'x-ttl': '13' }, undefined],
    [{ 'x-rl': '0' }, 60_000],
    [{ 'x-rl': '0', 'x-ttl': 'soon' }, 60_000],
    [{ 'x-rl': '0', 'x-ttl': '-1' }, 60_000],
    [{ 'x-rl': '0', 'x-ttl': '99999' }, 3_600_000],
  ])('with the headers %j pauses for %s ms', async (headers, wait) => {
    const { provider } = free({ headers, body: GOOD })
    await provider.lookup('9.9.9.9', { signal })
    const second = provider.lookup('9.9.9.9', { signal })
    if (wait === undefined) expect(await second).toMatchObject({ score: 50 })
    else expect((await errorOf(second)).retryAfter).toBe(wait)
  })

  it.each([
    [{ 'x-ttl': '42' }, 42_000],
    [{ 'x-ttl': '42', 'retry-after': '7' }, 42_000],
    [{ 'retry-after': '7' }, 7_000],
    [{}, 60_000],
  ])('after 429 with the headers %j waits %d ms', async (headers, wait) => {
    const { provider } = free({ status: 429, headers, body: '' })
    const { code, retryAfter } = await errorOf(provider.lookup('9.9.9.9', { signal }))
    expect([code, retryAfter]).toEqual(['IPGUARD_PROVIDER_QUOTA', wait])
  })
})
