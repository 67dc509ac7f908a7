import { providerSuite } from '@ipguard/conformance'
import { REPORT_TYPES, type Report } from '@ipguard/core'
import { describe, expect, it, test } from 'vitest'
import { abuseipdb } from '../src/abuseipdb.ts'
import { answering, context, lookup } from './answering.ts'

const key = 'k/1'
const data = (more: object): object => ({
  data: {
    ipAddress: '118.25.6.39',
    isPublic: true,
    ipVersion: 4,
    isWhitelisted: null,
    abuseConfidenceScore: 0,
    countryCode: null,
    usageType: null,
    isTor: false,
    totalReports: 0,
    ...more,
  },
})
const errors = (status: number, parameter?: string): object => ({
  errors: [{ detail: 'Sorry.', status, ...(parameter && { source: { parameter } }) }],
})
const report = (more: Partial<Report> = {}): Report => ({ type: 'brute-force', message: 'x', at: 0, ...more })

providerSuite({
  test,
  expect,
  create: ({ baseUrl, timeout, key: its }) => abuseipdb({ baseUrl, timeout, key: its }),
  http: {
    listed: (ipAddress) => ({
      headers: { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '12' },
      body: data({ ipAddress, abuseConfidenceScore: 100, totalReports: 1 }),
    }),
    unlisted: (ipAddress) => ({ body: data({ ipAddress, usageType: 'Fixed Line ISP' }) }),
    quota: { status: 429, headers: { 'retry-after': '60' }, body: errors(429) },
    refused: { status: 401, body: errors(401) },
    wrong: [
      { body: { data: {} } },
      { body: { data: [] } },
      { body: { data: { abuseConfidenceScore: 'abc' } } },
      { body: { data: { abuseConfidenceScore: null } } },
      { body: errors(422, 'ipAddress') },
    ],
  },
})

describe('what abuseipdb answers', () => {
  it.each([
    [{ abuseConfidenceScore: 87 }, { score: 87, categories: ['abuse'] }],
    [{ abuseConfidenceScore: '87' }, { score: 87, categories: ['abuse'] }],
    [{ abuseConfidenceScore: 0 }, undefined],
    [{ abuseConfidenceScore: 100, isWhitelisted: true }, undefined],
    [
      { abuseConfidenceScore: 0, isTor: true },
      { score: 0, categories: ['tor'] },
    ],
    [{ usageType: 'Data Center/Web Hosting/Transit' }, { score: 0, categories: ['hosting'] }],
    [{ usageType: 'Search Engine Spider' }, { score: 0, categories: ['crawler'] }],
    [
      { abuseConfidenceScore: 900, isTor: true },
      { score: 100, categories: ['abuse', 'tor'] },
    ],
  ])('%j is %j', async (more, verdict) => {
    expect(await lookup(abuseipdb({ key, fetch: answering(data(more)).fetch }))).toEqual(verdict)
  })

  it.each([
    [401, 'IPGUARD_PROVIDER_REFUSED'],
    [402, 'IPGUARD_PROVIDER_FAILED'],
    [422, 'IPGUARD_PROVIDER_FAILED'],
    [429, 'IPGUARD_PROVIDER_QUOTA'],
  ])('status %s is %s', async (status, code) => {
    const { fetch } = answering(errors(status), { status })
    await expect(lookup(abuseipdb({ key, fetch }))).rejects.toMatchObject({ code })
  })

  it('waits by X-RateLimit-Reset where there is no Retry-After', async () => {
    const reset = String(Math.ceil(Date.now() / 1_000) + 7_200)
    const { fetch } = answering(errors(429), { status: 429, headers: { 'x-ratelimit-reset': reset } })
    const error: unknown = await lookup(abuseipdb({ key, fetch })).catch((thrown: unknown) => thrown)
    expect(Math.round(Number(Reflect.get(Object(error), 'retryAfter')) / 60_000)).toBe(120)
  })
})

describe('what abuseipdb is sent', () => {
  it('the address, how far to look back, and the key in a header', async () => {
    const { fetch, sent } = answering(data({}))
    await lookup(abuseipdb({ key, fetch, maxAgeInDays: 90 }), '2001:db8::7')
    const url = 'https://api.abuseipdb.com/api/v2/check?ipAddress=2001%3Adb8%3A%3A7&maxAgeInDays=90'
    expect(sent).toEqual([{ method: 'GET', url, key, body: '' }])
  })

  it('a report as a form, in its own numbers', async () => {
    const { fetch, sent } = answering({ data: { ipAddress: '9.9.9.9', abuseConfidenceScore: 1 } })
    await abuseipdb({ key, fetch }).report?.('9.9.9.9', report({ message: 'y'.repeat(2_000) }), context())
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://api.abuseipdb.com/api/v2/report', key })
    expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toEqual({
      ip: '9.9.9.9',
      categories: '18',
      comment: 'y'.repeat(1_024),
      timestamp: '1970-01-01T00:00:00.000Z',
    })
  })

  it('a category that the vendor has, for every type', async () => {
    const { fetch, sent } = answering({ data: {} })
    for (const type of REPORT_TYPES) await abuseipdb({ key, fetch }).report?.('9.9.9.9', report({ type }), context())
    const numbers = sent.map(({ body }) => Number(new URLSearchParams(body).get('categories')))
    expect(numbers.every((each) => Number.isInteger(each) && each >= 3 && each <= 23)).toBe(true)
    expect(new Set(numbers).size).toBe(REPORT_TYPES.length)
  })

  it('many reports as a file', async () => {
    const { fetch, sent } = answering({ data: { savedReports: 2, invalidReports: [] } })
    const reports = [
      { ip: '9.9.9.9', report: report({ message: 'a "b", c\r\nd' }) },
      { ip: '2001:db8::7', report: report({ type: 'spam' }) },
    ]
    await abuseipdb({ key, fetch }).reportMany?.(reports, context())
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://api.abuseipdb.com/api/v2/bulk-report', key })
    expect(sent[0]?.body).toMatch(/name="csv"; filename="reports.csv"/)
    expect(sent[0]?.body).toContain(
      'IP,Categories,ReportDate,Comment\r\n' +
        '"9.9.9.9","18","1970-01-01T00:00:00.000Z","a ""b"", c d"\r\n' +
        '"2001:db8::7","10","1970-01-01T00:00:00.000Z","x"\r\n',
    )
  })
})

describe('a report to abuseipdb', () => {
  const sending = (body: unknown, status: number): Promise<void> | undefined =>
    abuseipdb({ key, fetch: answering(body, { status, headers: { 'retry-after': '60' } }).fetch }).report?.(
      '9.9.9.9',
      report(),
      context(),
    )

  it('of an address that was reported within 15 minutes is a duplicate, and closes nothing', async () => {
    await expect(sending(errors(429, 'ip'), 429)).rejects.toMatchObject({ code: 'IPGUARD_REPORT_DUPLICATE' })
  })

  it.each([
    ['over the quota of the day', errors(429), 429, { code: 'IPGUARD_PROVIDER_QUOTA', retryAfter: 60_000 }],
    ['with a wrong key', errors(401), 401, { code: 'IPGUARD_PROVIDER_REFUSED' }],
    ['that is not understood', errors(422, 'categories'), 422, { code: 'IPGUARD_PROVIDER_FAILED' }],
    ['answered with HTML', '<html>', 200, { code: 'IPGUARD_PROVIDER_ANSWER' }],
    ['answered with nothing of the kind', {}, 200, { code: 'IPGUARD_PROVIDER_ANSWER' }],
    ['refused with HTML', '<html>', 429, { code: 'IPGUARD_PROVIDER_QUOTA', retryAfter: 60_000 }],
  ])('%s rejects', async (_, body, status, error) => {
    await expect(sending(body, status)).rejects.toMatchObject(error)
  })

  const bulk = (body: unknown, status = 200): Promise<void> | undefined =>
    abuseipdb({ key, fetch: answering(body, { status }).fetch }).reportMany?.(
      [{ ip: '9.9.9.9', report: report() }],
      context(),
    )
  const invalid = (error: string): object => ({ error, input: '9.9.9.9', rowNumber: 2 })

  it('with others is taken when any is, or when all were reported before', async () => {
    expect(await bulk({ data: { savedReports: 1, invalidReports: [invalid('Invalid IP')] } })).toBe(undefined)
    const before = invalid('Duplicate: reported within the last 15 minutes')
    expect(await bulk({ data: { savedReports: 0, invalidReports: [before] } })).toBe(undefined)
  })

  it('with others rejects when none is', async () => {
    const none = { data: { savedReports: 0, invalidReports: [invalid('Invalid IP')] } }
    await expect(bulk(none)).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_FAILED' })
    await expect(bulk(errors(429), 429)).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_QUOTA' })
    await expect(bulk({ data: [] })).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_ANSWER' })
  })

  it('is kept within what a free account may', () => {
    const { quota, reportQuota, reportWindow } = abuseipdb({ key })
    expect({ quota, reportQuota, reportWindow }).toEqual({
      quota: { perDay: 1_000 },
      reportQuota: { perDay: 100 },
      reportWindow: '15m',
    })
  })
})

it.each([
  [{}, 'abuseipdb.key is undefined'],
  [{ key, maxAgeInDays: 0 }, 'abuseipdb.maxAgeInDays'],
  [{ key, maxAgeInDays: 366 }, 'abuseipdb.maxAgeInDays'],
  [{ key, maxAgeInDays: 1.5 }, 'abuseipdb.maxAgeInDays'],
  [{ key, reportQuota: { perDay: 'all' } }, 'abuseipdb.reportQuota.perDay'],
  [{ key, reportQuota: { perMinute: 1 } }, 'abuseipdb.reportQuota has no option'],
  [undefined, 'abuseipdb is undefined'],
])('options of abuseipdb refuse %j', (options, start) => {
  expect(() => abuseipdb(options as never)).toThrow(start)
})
