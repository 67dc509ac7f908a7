import type { Report } from '@ipguard/core'
import { type CrowdsecServer, startCrowdsec } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crowdsec } from '../src/crowdsec.ts'

const KEY = 'key-of-the-reporter'
const context = { signal: new AbortController().signal }
let lapi: CrowdsecServer

beforeAll(async () => {
  lapi = await startCrowdsec({ bouncers: { reporter: KEY } })
}, 300_000)
afterAll(() => lapi.stop())

function report(type: Report['type'] = 'brute-force', at: number = Date.now()): Report {
  return { type, message: 'Twelve failed logins', at }
}

function reporter(options: object = {}): ReturnType<typeof crowdsec> {
  return crowdsec({ url: lapi.url, key: KEY, machine: lapi.machine, ...options })
}

/** What the server has of one scenario, by its own client. */
async function alerts(scenario: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await lapi.cscli(['alerts', 'list', '--all', '-o', 'json'])
  const all = (JSON.parse(text) ?? []) as readonly Readonly<Record<string, unknown>>[]
  return all.filter((alert) => alert.scenario === scenario)
}

/** Logins and pushes that the server has seen. */
function seen(): { readonly logins: number; readonly pushes: number } {
  const count = (what: string): number => lapi.output().split(what).length - 1
  return { logins: count('POST /v1/watchers/login'), pushes: count('POST /v1/alerts ') }
}

describe('reports to a real Local API', () => {
  it('places an alert, with no decision unless it is told to', async () => {
    await reporter().report?.('203.0.113.9', report('scan'), context)
    expect(await alerts('ipguard/scan')).toMatchObject([
      { scenario: 'ipguard/scan', message: 'Twelve failed logins', source: { scope: 'Ip', value: '203.0.113.9' } },
    ])
    expect(await reporter().lookup('203.0.113.9', context)).toBeUndefined()
  })

  it('places a ban of the length that it is told, counted from now however old the event is', async () => {
    const provider = reporter({ ban: '4h' })
    await provider.report?.('203.0.113.10', report('web-attack', Date.now() - 3_600_000), context)
    const [alert] = await alerts('ipguard/web-attack')
    const [decision] = (alert?.decisions ?? []) as readonly { readonly duration: string }[]
    expect(decision).toMatchObject({ origin: 'ipguard', type: 'ban', value: '203.0.113.10' })
    expect(decision?.duration).toMatch(/^3h59m/)
    expect(await provider.lookup('203.0.113.10', context)).toMatchObject({
      score: 100,
      detail: 'ban: ipguard/web-attack (ipguard)',
    })
  })

  it('sends several at once, IPv6 too, and logs in once for all', async () => {
    const before = seen()
    const provider = reporter({ ban: '1h' })
    await provider.reportMany?.(
      ['203.0.113.11', '203.0.113.12', '2001:db8::12'].map((ip) => ({ ip, report: report('spam') })),
      context,
    )
    await provider.report?.('203.0.113.13', report('spam'), context)
    await provider.reportMany?.([], context)
    const after = seen()
    expect([after.logins - before.logins, after.pushes - before.pushes]).toEqual([1, 2])
    expect((await alerts('ipguard/spam')).map(({ source }) => (source as { value: string }).value).toSorted()).toEqual([
      '2001:db8::12',
      '203.0.113.11',
      '203.0.113.12',
      '203.0.113.13',
    ])
    expect(await provider.lookup('2001:db8::12', context)).toMatchObject({ score: 100, categories: ['spam'] })
  })

  it('logs in once more when its token is refused', async () => {
    const sent: [string, string | null][] = []
    const provider = reporter({
      // The second push goes out with a token that the server does not know.
      fetch: async (url: string, init: RequestInit) => {
        const headers = new Headers(init.headers)
        const path = new URL(url).pathname
        sent.push([path, headers.get('authorization')])
        if (sent.length === 3) headers.set('authorization', 'Bearer a.b.c')
        return fetch(url, { ...init, headers })
      },
    })
    await provider.report?.('203.0.113.20', report('bot'), context)
    await provider.report?.('203.0.113.21', report('bot'), context)
    expect(sent.map(([path]) => path)).toEqual([
      '/v1/watchers/login',
      '/v1/alerts',
      '/v1/alerts',
      '/v1/watchers/login',
      '/v1/alerts',
    ])
    expect(await alerts('ipguard/bot')).toHaveLength(2)
  })

  it('is refused with a wrong password, once, and shows it in no error', async () => {
    const before = seen()
    const provider = reporter({ machine: { machineId: 'testwatcher', password: 'canary-of-a-password' } })
    const failure = await provider.report?.('203.0.113.30', report(), context).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'IPGUARD_PROVIDER_REFUSED' })
    expect(JSON.stringify([failure, String(failure)])).not.toContain('canary-of-a-password')
    const after = seen()
    expect([after.logins - before.logins, after.pushes - before.pushes]).toEqual([1, 0])
  })

  it('takes no reports without a machine, and says what bans need', () => {
    expect(crowdsec({ url: lapi.url, key: KEY }).report).toBeUndefined()
    expect(crowdsec({ url: lapi.url, key: KEY, mode: 'stream' }).reportMany).toBeUndefined()
    expect(crowdsec({ url: lapi.url, key: KEY, mode: 'stream', machine: lapi.machine }).reportMany).toBeDefined()
    expect(() => crowdsec({ url: lapi.url, key: KEY, ban: '4h' })).toThrow('together with machine')
  })

  it('rejects when the server does not take an alert', async () => {
    const provider = reporter({
      fetch: async (url: string, init: RequestInit) =>
        fetch(url, url.endsWith('/alerts') ? { ...init, body: '[{"scenario":"x"}]' } : init),
    })
    await expect(provider.report?.('203.0.113.40', report(), context)).rejects.toMatchObject({
      code: 'IPGUARD_PROVIDER_FAILED',
    })
  })
})
