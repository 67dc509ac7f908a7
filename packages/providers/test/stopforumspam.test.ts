import type { Report, Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { stopforumspam } from '../src/stopforumspam.ts'
import { type Answer, answering, ask, errorOf, signal } from './ask.ts'

const ENTRY = { value: '185.220.101.34', appears: 1, frequency: 12, lastseen: '2026-01-02 03:04:05', confidence: 83.1 }
const read = async (body: unknown, status = 200): Promise<unknown> => ask(stopforumspam, { status, body })

describe('stopforumspam', () => {
  it.each<[entry: unknown, verdict: Verdict | undefined]>([
    [ENTRY, { score: 83.1, categories: ['spam'], detail: 'reported 12 times' }],
    [[ENTRY], { score: 83.1, categories: ['spam'], detail: 'reported 12 times' }],
    [
      { ...ENTRY, confidence: '50', frequency: '3' },
      { score: 50, categories: ['spam'], detail: 'reported 3 times' },
    ],
    [
      { ...ENTRY, confidence: undefined },
      { score: 50, categories: ['spam'], detail: 'reported 12 times' },
    ],
    [
      { ...ENTRY, confidence: 120, frequency: null },
      { score: 50, categories: ['spam'] },
    ],
    [
      { ...ENTRY, torexit: 1 },
      { score: 83.1, categories: ['spam', 'tor'], detail: 'reported 12 times' },
    ],
    [
      { ...ENTRY, blacklisted: 1, frequency: 255 },
      { score: 100, categories: ['spam'], detail: 'listed as a whole' },
    ],
    [{ appears: 0, frequency: 0 }, undefined],
    [{ appears: 'no' }, undefined],
    [
      { appears: 0, torexit: 1 },
      { score: 0, categories: ['tor'] },
    ],
  ])('reads %j', async (entry, verdict) => {
    expect(await read({ success: 1, ip: entry })).toEqual(verdict)
  })

  it.each([
    [{ success: 0, error: 'invalid ip' }, 'IPGUARD_PROVIDER_FAILED'],
    [{ success: 0, error: 'rate limit exceeded' }, 'IPGUARD_PROVIDER_QUOTA'],
    [{ success: 0, error: 'your address is blocked' }, 'IPGUARD_PROVIDER_REFUSED'],
    [{ success: 0 }, 'IPGUARD_PROVIDER_ANSWER'],
    [{ ip: ENTRY }, 'IPGUARD_PROVIDER_ANSWER'],
    [{ success: 1 }, 'IPGUARD_PROVIDER_ANSWER'],
    [{ success: 1, ip: [] }, 'IPGUARD_PROVIDER_ANSWER'],
    [{ success: 1, ip: { frequency: 3 } }, 'IPGUARD_PROVIDER_ANSWER'],
  ])('takes %j for %s', async (body, code) => {
    expect(await read(body)).toBe(code)
  })

  it.each([
    [{}, '&f=json&confidence', ''],
    [{ torExits: 'bad' }, '&f=json&confidence&badtorexit', '&badtorexit'],
    [{ torExits: 'ignore', blacklists: false }, '&f=json&confidence&notorexit&nobadall', '&notorexit&nobadall'],
  ] as const)('asks with the settings %j', async (options, query, version) => {
    const { fetch, asked } = answering({ body: { success: 1, ip: { appears: 0 } } })
    const provider = stopforumspam({ ...options, fetch })
    await provider.lookup('2620:7:6001::166', { signal })
    expect(asked[0]?.url).toBe(`https://api.stopforumspam.org/api?ip=2620%3A7%3A6001%3A%3A166${query}`)
    expect([provider.version, provider.quota, provider.report]).toEqual([version, { perDay: 20_000 }, undefined])
  })

  it.each<[options: unknown, words: string]>([
    [{ torExits: 'good' }, 'stopforumspam.torExits'],
    [{ blacklists: 'no' }, 'stopforumspam.blacklists'],
    [{ reporting: { account: () => undefined } }, 'stopforumspam.reporting.key'],
    [{ reporting: { key: 'k' } }, 'stopforumspam.reporting.account'],
    [{ reporting: { key: 'k', account: () => undefined, url: 'http://a.example' } }, 'stopforumspam.reporting.url'],
    [{ reporting: { key: 'k', acount: () => undefined } }, 'Did you mean "account"?'],
  ])('refuses the options %j', (options, words) => {
    expect(() => stopforumspam(options as never)).toThrow(words) // as JavaScript would call it
  })
})

describe('stopforumspam, reports', () => {
  const SPAM: Report = { type: 'spam', message: 'Posted links & more.', at: 0 }
  const ACCOUNT = { username: 'bot 7', email: 'bot@spam.example' }
  const report = async (answer: Answer): Promise<string[]> => {
    const { fetch, asked } = answering(answer)
    const provider = stopforumspam({ fetch, reporting: { key: 'canary', account: async () => ACCOUNT } })
    await provider.report?.('185.220.101.34', SPAM, { signal })
    return asked.map(({ method, url, body }) => `${method} ${url} ${body}`)
  }

  it('sends a spammer with the account and the evidence, in the body', async () => {
    expect(await report({ body: '' })).toEqual([
      'POST https://www.stopforumspam.com/add.php username=bot+7&ip_addr=185.220.101.34&email=bot%40spam.example' +
        '&evidence=Posted+links+%26+more.&api_key=canary',
    ])
  })

  it.each([
    [403, '<p>recent duplicate entry of bot@spam.example</p>', 'IPGUARD_REPORT_DUPLICATE'],
    [403, '<p>invalid API key canary</p>', 'IPGUARD_PROVIDER_REFUSED'],
    [403, '<p>bot@spam.example is no address</p>', 'IPGUARD_REPORT_FAILED'],
    [429, '', 'IPGUARD_PROVIDER_QUOTA'],
    [503, '', 'IPGUARD_PROVIDER_FAILED'],
  ])('takes status %d with %j for %s, and repeats neither key nor account', async (status, body, code) => {
    const error = await errorOf(report({ status, body }))
    expect(error.code).toBe(code)
    expect(error.message).not.toMatch(/canary|bot/)
  })

  it('sends nothing but spam, and nothing without an account', async () => {
    const { fetch, asked } = answering({ body: '' })
    const { report: send, reportTypes } = stopforumspam({ fetch, reporting: { key: 'k', account: () => undefined } })
    expect(reportTypes).toEqual(['spam'])
    expect((await errorOf(send?.('9.9.9.9', SPAM, { signal }))).code).toBe('IPGUARD_REPORT_DECLINED')
    expect(asked).toHaveLength(0)
  })
})
