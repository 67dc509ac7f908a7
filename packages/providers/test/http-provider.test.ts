import { IpGuardError } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { type HttpProviderOptions, type HttpProviderSpec, httpProvider, object } from '../src/index.ts'
import { answering, lookup } from './answering.ts'

const make = (options: HttpProviderOptions = {}, more: Partial<HttpProviderSpec> = {}) =>
  httpProvider({
    factory: 'mine',
    options,
    own: [],
    defaults: { baseUrl: 'https://x.example/api' },
    request: (ip, baseUrl) => ({ url: `${baseUrl}/${ip}` }),
    read: () => ({ score: 1 }),
    ...more,
  })

const asking = async (answer: Parameters<typeof answering>, more: Partial<HttpProviderSpec> = {}): Promise<unknown> =>
  lookup(make({ fetch: answering(...answer).fetch }, more)).catch((error: unknown) => error)

describe('httpProvider', () => {
  it('has the defaults of the factory, and the options before them', () => {
    const defaults = {
      baseUrl: 'https://x.example',
      timeout: '3s',
      ttl: { verdict: '1h', unlisted: '2h' },
      weight: 0.5,
    } as const
    expect(make({}, { defaults })).toMatchObject({ name: 'mine', timeout: '3s', weight: 0.5, ttl: { verdict: '1h' } })
    const options = { name: 'other', timeout: 50, weight: 1, ttl: { unlisted: '5m' }, quota: { perDay: 9 } } as const
    expect(make(options, { defaults, version: 'v2' })).toMatchObject({
      ...options,
      ttl: { verdict: '1h', unlisted: '5m' },
      version: 'v2',
    })
    expect('quota' in make()).toBe(false)
  })

  it.each([
    ['https://y.example/', 'https://y.example/9.9.9.9'],
    ['https://y.example/a/b///', 'https://y.example/a/b/9.9.9.9'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/9.9.9.9'],
    ['http://[::1]:8080', 'http://[::1]:8080/9.9.9.9'],
    ['http://localhost', 'http://localhost/9.9.9.9'],
  ])('asks at %s', async (baseUrl, url) => {
    const { fetch, sent } = answering({})
    await lookup(make({ baseUrl, fetch }))
    expect(sent[0]?.url).toBe(url)
  })

  it.each([
    [{ baseUrl: 'http://y.example' }],
    [{ baseUrl: 'http://127.0.0.1.y.example' }],
    [{ baseUrl: 'https://user:pass@y.example' }],
    [{ baseUrl: 'https://y.example?key=k' }],
    [{ baseUrl: 'ftp://y.example' }],
    [{ baseUrl: 'y.example' }],
    [{ baseUrl: 7 }],
    [{ name: 'a b' }],
    [{ name: '' }],
    [{ name: 'x'.repeat(65) }],
    [{ weight: 0 }],
    [{ weight: 1.1 }],
    [{ ttl: { verdict: '1 hour' } }],
    [{ ttl: { listed: '1h' } }],
    [{ quota: { perHour: 1 } }],
    [{ quota: { perDay: 1.5 } }],
    [{ fetch: 'fetch' }],
    [{ key: 'k' }],
    [null],
  ])('refuses %j, and shows nothing of a URL but its host', (options) => {
    let error: unknown
    try {
      make(options as never)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(IpGuardError)
    expect((error as IpGuardError).message).not.toMatch(/pass|key=/)
  })

  it('takes plain http to any host where the factory says so', () => {
    expect(make({ baseUrl: 'http://crowdsec:8080' }, { plainHttp: true }).name).toBe('mine')
  })

  it.each([
    [204, {}, 'IPGUARD_PROVIDER_FAILED'],
    [404, {}, 'IPGUARD_PROVIDER_FAILED'],
    [418, {}, 'IPGUARD_PROVIDER_FAILED'],
    [403, { 403: 'quota' }, 'IPGUARD_PROVIDER_QUOTA'],
    [429, { 429: 'failed' }, 'IPGUARD_PROVIDER_FAILED'],
    [404, { 404: 'unlisted' }, undefined],
    [404, { 404: 'read' }, 1],
    [200, { 200: 'refused' }, 'IPGUARD_PROVIDER_REFUSED'],
  ] as const)('status %s with %j is %s', async (status, statuses, expected) => {
    const body = status === 204 ? null : {}
    const fetch = async (): Promise<Response> => new Response(body && '{}', { status })
    const found: unknown = await lookup(make({ fetch }, { statuses })).catch((error: unknown) => error)
    expect(found instanceof IpGuardError ? found.code : Reflect.get(Object(found), 'score')).toBe(expected)
  })

  it('takes whatever reading throws for an answer that cannot be read, and hands on nothing of it', async () => {
    const read = (): never => {
      throw new TypeError('secret')
    }
    const error = await asking([{}], { read })
    expect(error).toMatchObject({ code: 'IPGUARD_PROVIDER_ANSWER' })
    expect(error).not.toHaveProperty('cause')
    expect(String(error)).not.toContain('secret')
  })

  it('takes keys out of what reading says, and keeps its code and its wait', async () => {
    const read = (): never => {
      throw new IpGuardError('IPGUARD_PROVIDER_QUOTA', 'k3y! of k3y%21 is used up', { retryAfter: 7, cause: 'k3y!' })
    }
    const error = await asking([{}], { read, secrets: ['k3y!'] })
    expect(error).toMatchObject({ code: 'IPGUARD_PROVIDER_QUOTA', retryAfter: 7 })
    expect(error).not.toHaveProperty('cause')
    expect(String(error)).toContain('[redacted] of [redacted] is used up')
  })

  it('waits as the vendor says in its own words, else by Retry-After, and never for an answer that cannot be read', async () => {
    const headers = { 'retry-after': '9' }
    expect(await asking([{}, { status: 429, headers }])).toMatchObject({ retryAfter: 9_000 })
    expect(await asking([{}, { status: 503, headers }])).toMatchObject({ retryAfter: 9_000 })
    expect(await asking([{}, { status: 429, headers }], { retryAfter: () => 5 })).toMatchObject({ retryAfter: 5 })
    const unreadable = await asking([[], { headers }], {
      read: (answer) => ({ score: Number(object(answer.json()).a) }),
    })
    expect([Reflect.get(Object(unreadable), 'code'), Reflect.get(Object(unreadable), 'retryAfter')]).toEqual([
      'IPGUARD_PROVIDER_ANSWER',
      undefined,
    ])
  })
})
