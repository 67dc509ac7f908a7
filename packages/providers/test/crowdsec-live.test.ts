import { parseDuration } from '@ipguard/core'
import { type CrowdsecServer, startCrowdsec } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { crowdsec } from '../src/crowdsec.ts'

const KEY = 'key-of-the-live-bouncer'
const context = { signal: new AbortController().signal }
let lapi: CrowdsecServer

beforeAll(async () => {
  lapi = await startCrowdsec({ bouncers: { live: KEY } })
  for (const args of [
    ['--ip', '1.2.3.4', '--duration', '4h'],
    ['--ip', '1.2.3.5', '--duration', '4s'],
    ['--range', '10.66.0.0/16', '--duration', '1h30m', '--type', 'captcha', '--reason', 'scan'],
    ['--range', '2001:db8:bad::/48', '--duration', '2h'],
    ['--ip', '1.2.3.6', '--duration', '3h', '--type', 'captcha'],
    ['--ip', '1.2.3.6', '--duration', '4h', '--type', 'ban'],
    ['--ip', '1.2.3.7', '--duration', '4h', '--type', 'throttle'],
    ['--scope', 'country', '--value', 'FR', '--duration', '2h'],
  ]) {
    await lapi.cscli(['decisions', 'add', ...args])
  }
}, 300_000)
afterAll(() => lapi.stop())

function live(options: object = {}): ReturnType<typeof crowdsec> {
  return crowdsec({ url: lapi.url, key: KEY, ...options })
}

describe('crowdsec, live, with a real Local API', () => {
  it.each([
    ['an address', '1.2.3.4', { score: 100, detail: "ban: manual 'ban' from 'testwatcher' (cscli)" }],
    ['an address in a range', '10.66.7.8', { score: 60, detail: 'captcha: scan (cscli)', categories: ['scanner'] }],
    ['an IPv6 address in a range', '2001:db8:bad::1', { score: 100 }],
    ['an address with a captcha that ends first, and a ban', '1.2.3.6', { score: 100 }],
    ['a type that it does not know', '1.2.3.7', { score: 100 }],
  ])('gives a verdict on %s', async (_name, ip, verdict) => {
    const found = await live().lookup(ip, context)
    expect(found).toMatchObject(verdict)
    expect(found?.ttl).toBe(10_000)
  })

  it.each(['1.2.3.8', '10.67.0.1', '2001:db8:bae::1', '9.9.9.9'])('knows nothing of %s', async (ip) => {
    expect(await live().lookup(ip, context)).toBeUndefined()
  })

  it('keeps a verdict no longer than its decision lasts, nor than it is told to', async () => {
    const short = await live().lookup('1.2.3.5', context)
    expect(short === undefined || parseDuration(short.ttl ?? 0, 'ttl') <= 4_000).toBe(true)
    expect(await live({ ttl: { verdict: '2s' } }).lookup('1.2.3.4', context)).toMatchObject({ ttl: 2_000 })
    expect(live({ ttl: { verdict: '2s' } }).ttl).toEqual({ verdict: '2s', unlisted: '10s', error: '10s' })
  })

  it('takes the scores that it is given, and ignores a type that scores 0', async () => {
    const types = { captcha: 35, throttle: 0 }
    expect(await live({ types }).lookup('10.66.7.8', context)).toMatchObject({ score: 35 })
    expect(await live({ types }).lookup('1.2.3.7', context)).toBeUndefined()
  })

  it('is refused with a wrong key, and does not show it', async () => {
    const failure = await Promise.resolve(live({ key: 'canary-of-a-key' }).lookup('1.2.3.4', context)).catch(
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 'IPGUARD_PROVIDER_REFUSED' })
    expect(JSON.stringify([failure, String(failure)])).not.toContain('canary-of-a-key')
  })

  it('is seen by the server with its name and version', async () => {
    await live().lookup('9.9.9.9', context)
    expect(JSON.parse(await lapi.cscli(['bouncers', 'list', '-o', 'json']))).toMatchObject([
      { name: 'live', type: 'ipguard', version: 'v0' },
    ])
  })

  it('could not tell while the server is frozen or gone, and can again afterwards', async () => {
    const provider = live({ timeout: 300 })
    onTestFinished(async () => lapi.restart())
    lapi.freeze()
    await expect(provider.lookup('1.2.3.4', context)).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_TIMEOUT' })
    lapi.thaw()
    await lapi.kill()
    await expect(provider.lookup('1.2.3.4', context)).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_FAILED' })
    await lapi.restart()
    expect(await live().lookup('1.2.3.4', context)).toMatchObject({ score: 100 })
  })

  it('no longer finds what was deleted', async () => {
    await lapi.cscli(['decisions', 'add', '--ip', '1.2.3.9', '--duration', '1h'])
    expect(await live().lookup('1.2.3.9', context)).toMatchObject({ score: 100 })
    await lapi.cscli(['decisions', 'delete', '--ip', '1.2.3.9'])
    expect(await live().lookup('1.2.3.9', context)).toBeUndefined()
  })
})
