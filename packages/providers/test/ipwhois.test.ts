import { providerSuite } from '@ipguard/conformance'
import { IpGuardError, REPORT_TYPES, type Report } from '@ipguard/core'
import { describe, expect, it, test } from 'vitest'
import { ipwhois } from '../src/ipwhois.ts'
import { answering, context, lookup } from './answering.ts'

describe('ipwhois, without a key', () => {
  providerSuite({
    test,
    expect,
    create: ({ baseUrl, timeout }) => ipwhois({ baseUrl, timeout }),
    http: {
      listed: () => ({ body: { listed: true, confidence: 92, threat_type: 'brute-force' } }),
      unlisted: () => ({ body: { listed: false } }),
      wrong: [
        { body: { listed: 'maybe' } },
        { body: { listed: null } },
        { body: { listed: true, confidence: 'abc' } },
        { body: { listed: true, confidence: {} } },
      ],
    },
  })
})

describe('ipwhois, with a key', () => {
  providerSuite({
    test,
    expect,
    create: ({ baseUrl, timeout, key }) => ipwhois({ baseUrl, timeout, key, keyIn: { query: 'key' } }),
    http: {
      listed: () => ({ body: { listed: true, confidence: 92, threat_type: 'brute-force' } }),
      unlisted: () => ({ body: { listed: false, confidence: 0 } }),
    },
  })
})

describe('what ipwhois answers', () => {
  it.each([
    [
      { listed: true, confidence: 92, threat_type: 'scan' },
      { score: 92, categories: ['scanner'], detail: 'scan' },
    ],
    [
      { listed: true, confidence: '75', threat_type: 'bot' },
      { score: 75, categories: ['botnet'], detail: 'bot' },
    ],
    [{ listed: true }, { score: 50, categories: ['abuse'] }],
    [
      { listed: true, confidence: null, threat_type: 7 },
      { score: 50, categories: ['abuse'] },
    ],
    [
      { listed: true, confidence: 400, threat_type: 'new' },
      { score: 100, categories: ['abuse'], detail: 'new' },
    ],
    [{ listed: false, confidence: 99 }, undefined],
  ])('%j is %j', async (body, verdict) => {
    expect(await lookup(ipwhois({ fetch: answering(body).fetch }))).toEqual(verdict)
  })
})

describe('what ipwhois is sent', () => {
  it('the address alone', async () => {
    const { fetch, sent } = answering({ listed: false })
    await lookup(ipwhois({ fetch }), '2001:db8::7')
    expect(sent).toEqual([
      { method: 'GET', url: 'https://bl.ipwhois.net/api/check?ip=2001%3Adb8%3A%3A7', key: null, body: '' },
    ])
  })

  it.each([
    [{ header: 'x-api-key' }, 'https://bl.ipwhois.net/api/check?ip=9.9.9.9', 'k/1'],
    [{ query: 'key' }, 'https://bl.ipwhois.net/api/check?ip=9.9.9.9&key=k%2F1', null],
  ])('a key as %j', async (keyIn, url, key) => {
    const { fetch, sent } = answering({ listed: false }, { keyHeader: 'x-api-key' })
    await lookup(ipwhois({ fetch, key: 'k/1', keyIn }))
    expect(sent).toMatchObject([{ url, key }])
  })

  const report = (type: Report['type']): Report => ({ type, message: '5 failed logins & more', at: 0 })

  it('a report as a form, in its own words', async () => {
    const { fetch, sent } = answering({ ok: true })
    await ipwhois({ fetch }).report?.('9.9.9.9', report('brute-force'), context())
    expect(sent).toEqual([
      {
        method: 'POST',
        url: 'https://bl.ipwhois.net/api/report',
        key: null,
        body: 'ip=9.9.9.9&type=brute-force&message=5+failed+logins+%26+more',
      },
    ])
  })

  it('only types that it knows', async () => {
    const known = ['brute-force', 'spam', 'ddos', 'scan', 'phishing', 'malware', 'bot', 'other']
    const { fetch, sent } = answering({ ok: true })
    for (const type of REPORT_TYPES) await ipwhois({ fetch }).report?.('9.9.9.9', report(type), context())
    expect(
      sent.map(({ body }) => new URLSearchParams(body).get('type')).filter((type) => !known.includes(type ?? '')),
    ).toEqual([])
  })

  it.each([
    [429, 'IPGUARD_PROVIDER_QUOTA'],
    [401, 'IPGUARD_PROVIDER_REFUSED'],
    [400, 'IPGUARD_PROVIDER_FAILED'],
  ])('a report that is answered with %s rejects with %s', async (status, code) => {
    const sending = ipwhois({ fetch: answering({}, { status }).fetch }).report?.('9.9.9.9', report('spam'), context())
    await expect(sending).rejects.toMatchObject({ code })
  })
})

describe('options of ipwhois', () => {
  it('count 500 a day, and 1,000 with a key', () => {
    expect([ipwhois().quota, ipwhois({ key: 'k', keyIn: { query: 'key' } }).quota]).toEqual([
      { perDay: 500 },
      { perDay: 1_000 },
    ])
  })

  it.each([
    [{ key: 'k' }, 'ipwhois.keyIn'],
    [{ keyIn: { query: 'key' } }, 'ipwhois.key'],
    [{ key: 'k y', keyIn: { query: 'key' } }, 'ipwhois.key'],
    [{ key: 'k', keyIn: { header: 'a b' } }, 'ipwhois.keyIn'],
    [{ apiKey: 'k' }, 'ipwhois has no option "apiKey"'],
    [{ baseUrl: 'http://bl.ipwhois.net' }, 'ipwhois.baseUrl'],
    [{ quota: { perDay: -1 } }, 'ipwhois.quota.perDay'],
    [{ timeout: 'soon' }, 'ipwhois.timeout'],
  ])('refuse %j', (options, start) => {
    let error: unknown
    try {
      ipwhois(options as never)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(IpGuardError)
    expect((error as IpGuardError).message.slice(0, start.length)).toBe(start)
  })
})
