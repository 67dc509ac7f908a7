import { readFileSync } from 'node:fs'
import { createGuard, IpGuardError, parseAddress, reputation } from '@ipguard/core'
import { type Rbldnsd, startRbldnsd } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { handClock } from '../../core/test/hand-clock.ts'
import { blocklistDe, type DnsResolve, dnsbl, spamhausDqs, spamhausZen, torDnsel } from '../src/dnsbl.ts'
import { reverseName } from '../src/dnsbl-name.ts'
import { httpbl } from '../src/httpbl.ts'

const context = { signal: new AbortController().signal }
const KEY = 'abcdefghijkl'

function data(name: string): string {
  return readFileSync(new URL(`data/dnsbl/${name}`, import.meta.url), 'utf8')
}

interface Recorded {
  readonly input: string
  readonly name: string
  readonly A: string | readonly { readonly address: string; readonly ttl: number }[]
}
const RECORDED = JSON.parse(data('expected-answers.json')) as readonly Recorded[]

let server: Rbldnsd
beforeAll(async () => {
  server = await startRbldnsd({
    zones: [
      { name: 'zen.test', type: 'ip4set', data: data('zen.ip4set') },
      { name: 'zen.test', type: 'ip6trie', data: data('zen.ip6trie') },
      { name: `${KEY}.dqs.test`, type: 'ip4set', data: data('zen.ip4set') },
      { name: 'dnsbl.httpbl.test', type: 'generic', data: data('httpbl.generic') },
      { name: 'everybody.test', type: 'ip4set', data: '$TTL 300\n:127.0.0.2:all $\n0.0.0.0/1\n' },
      { name: 'nobody.test', type: 'ip4set', data: '$TTL 300\n:127.0.0.2:none $\n198.51.100.99\n' },
    ],
  })
}, 300_000)
afterAll(() => server.stop())

function zen(options: object = {}): ReturnType<typeof dnsbl> {
  return spamhausZen({ zone: 'zen.test', servers: [server.address], ...options })
}

/** What a look-up came to: a verdict, nothing, or the code of its error. */
async function outcome(provider: ReturnType<typeof dnsbl>, ip: string): Promise<unknown> {
  try {
    return await provider.lookup(ip, context)
  } catch (error) {
    return error instanceof IpGuardError ? error.code : error
  }
}

describe('dnsbl with a real name server of block lists', () => {
  const listed = (score: number, detail: string, categories: readonly string[]): object => ({
    score,
    detail: `spamhaus-zen: ${detail}`,
    categories,
    ttl: 300_000,
  })
  /** What each recorded answer stands for. */
  const MEANS: Readonly<Record<string, unknown>> = {
    '127.0.0.2': listed(80, 'SBL', ['spam']),
    '127.0.0.1': undefined,
    '192.0.2.10': listed(80, 'SBL', ['spam']),
    '192.0.2.11': listed(80, 'XBL', ['botnet']),
    '192.0.2.12': listed(80, 'XBL', ['botnet']),
    '198.51.100.9': listed(100, 'DROP', ['abuse']),
    '198.51.100.7': undefined,
    '203.0.113.250': 'IPGUARD_PROVIDER_REFUSED',
    '203.0.113.251': 'IPGUARD_PROVIDER_QUOTA',
    '203.0.113.252': 'IPGUARD_PROVIDER_REFUSED',
    '8.8.8.8': undefined,
    '2001:db8:bad::1': listed(80, 'SBL', ['spam']),
    '2001:db8:bad:1::5': listed(80, 'XBL', ['botnet']),
    '2001:db8::1': undefined,
  }
  const addresses = RECORDED.filter(({ input }) => parseAddress(input))

  it('has a meaning for every recorded address', () => {
    expect(addresses.map(({ input }) => input)).toEqual(Object.keys(MEANS))
  })

  it.each(addresses)('asks for $input by its name, and reads the answer', async ({ input, name }) => {
    expect(`${reverseName(input)}.zen.test`).toBe(name)
    expect(await outcome(zen(), input)).toEqual(MEANS[input])
  })

  it('takes PBL for no listing, also alone, unless it is given a score', async () => {
    const codes = { '127.0.0.10': { score: 20, label: 'PBL' }, '127.0.0.4': 0 }
    expect(await outcome(zen({ codes }), '192.0.2.12')).toMatchObject({ score: 20, detail: 'spamhaus-zen: PBL' })
    expect(await outcome(zen({ codes: { '127.0.0.10': 0, '127.0.0.2': 90 } }), '192.0.2.12')).toBeUndefined()
  })

  it('could not tell what a zone has that the server does not serve', async () => {
    const provider = dnsbl({ zone: 'other.test', servers: [server.address] })
    await expect(provider.lookup('192.0.2.10', context)).rejects.toThrow('(EREFUSED)')
    expect(await outcome(provider, '192.0.2.10')).toBe('IPGUARD_PROVIDER_FAILED')
  })

  it('does not use a list that lists everybody, or nobody, and tries it again later', async () => {
    const clock = handClock()
    const everybody = dnsbl({ zone: 'everybody.test', servers: [server.address], clock })
    await expect(everybody.lookup('9.9.9.9', context)).rejects.toThrow('dnsbl lists 127.0.0.1, which no list does')
    const nobody = dnsbl({ zone: 'nobody.test', servers: [server.address], clock })
    await expect(nobody.lookup('198.51.100.99', context)).rejects.toThrow('dnsbl does not list 127.0.0.2')
    expect(await outcome(nobody, '198.51.100.99')).toBe('IPGUARD_PROVIDER_REFUSED')
    const unprobed = dnsbl({ zone: 'nobody.test', servers: [server.address], probe: false })
    expect(await outcome(unprobed, '198.51.100.99')).toMatchObject({ score: 100, detail: 'dnsbl: 127.0.0.2' })
  })

  it('asks with a key in front of the zone, and shows it nowhere', async () => {
    const options = { zone: 'dqs.test', servers: [server.address] }
    const provider = spamhausDqs({ key: KEY, ...options })
    expect(await outcome(provider, '192.0.2.10')).toMatchObject({ score: 80, detail: 'spamhaus-dqs: SBL' })
    const wrong = await Promise.resolve(
      spamhausDqs({ key: 'canaryofakey', ...options }).lookup('192.0.2.10', context),
    ).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: 'IPGUARD_PROVIDER_FAILED' })
    const { stack, cause, message } = wrong as Error
    expect(JSON.stringify([provider, stack, cause, message])).not.toMatch(/canaryofakey|abcdefghijkl/)
  })

  it('could not tell while the server is frozen or gone, ends with the signal, and can again afterwards', async () => {
    onTestFinished(async () => server.restart())
    const provider = zen({ timeout: 300 })
    expect(await outcome(provider, '192.0.2.10')).toMatchObject({ score: 80 })
    server.freeze()
    expect(await outcome(provider, '192.0.2.10')).toBe('IPGUARD_PROVIDER_TIMEOUT')
    const abort = new AbortController()
    const pending = Promise.resolve(zen({ timeout: '1h', probe: false }).lookup('192.0.2.10', { signal: abort.signal }))
    abort.abort()
    await expect(pending).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_TIMEOUT' })
    server.thaw()
    await server.kill()
    expect(await outcome(provider, '192.0.2.10')).toMatch(/^IPGUARD_PROVIDER_(FAILED|TIMEOUT)$/)
    await server.restart()
    expect(await outcome(provider, '192.0.2.10')).toMatchObject({ score: 80 })
  })

  it('answers many look-ups at once, each its own', async () => {
    const provider = zen()
    const ips = Array.from({ length: 60 }, (_, i) => `198.51.100.${i}`)
    const found = await Promise.all(ips.map(async (ip) => provider.lookup(ip, context)))
    expect(ips.filter((_, i) => found[i] === undefined)).toEqual(['198.51.100.7'])
  })
})

describe('http:BL with a real name server', () => {
  const provider = (options: object = {}): ReturnType<typeof httpbl> =>
    httpbl({ key: KEY, zone: 'dnsbl.httpbl.test', servers: [server.address], ...options })
  const MEANS: Readonly<Record<string, unknown>> = {
    '127.1.1.1': { score: 30, categories: ['abuse'], detail: 'suspicious, threat 1, 1 days ago' },
    '127.1.80.1': { score: 80, categories: ['abuse'], detail: 'suspicious, threat 80, 1 days ago' },
    '127.80.1.1': undefined,
    '192.0.2.7': {
      score: 70,
      categories: ['abuse', 'spam'],
      detail: 'suspicious, comment spammer, threat 45, 3 days ago',
    },
    '192.0.2.8': { score: 0, categories: ['crawler'], detail: 'search engine 5' },
    '192.0.2.9': undefined,
  }
  const recorded = RECORDED.filter(({ input }) => input.startsWith('http:BL ')).map(({ input, name }) => ({
    ip: input.slice(8),
    name,
  }))

  it('has a meaning for every recorded address', () => {
    expect(recorded.map(({ ip }) => ip)).toEqual(Object.keys(MEANS))
  })

  it.each(recorded)('asks for $ip by its name, and reads the answer', async ({ ip, name }) => {
    expect(`${KEY}.${reverseName(ip)}.dnsbl.httpbl.test`).toBe(name)
    expect(await outcome(provider(), ip)).toEqual(MEANS[ip])
  })

  it('takes what is old or harmless for no listing, as it is told', async () => {
    expect(await outcome(provider({ maxAge: 255 }), '127.80.1.1')).toMatchObject({ score: 30 })
    expect(await outcome(provider({ maxAge: 2 }), '192.0.2.7')).toBeUndefined()
    expect(await outcome(provider({ minThreat: 46 }), '192.0.2.7')).toBeUndefined()
    expect(await outcome(provider({ minThreat: 45, maxAge: 3 }), '192.0.2.7')).toMatchObject({ score: 70 })
  })

  it('asks about IPv4 only', async () => {
    expect(['192.0.2.7', '2001:db8::1'].map((ip) => provider().supports?.(ip))).toEqual([true, false])
    expect(await outcome(provider({ servers: ['127.0.0.1:1'] }), '2001:db8::1')).toBeUndefined()
  })

  it('refuses what is no key, without showing it', () => {
    for (const key of ['', 'ABCDEFGHIJKL', 'canary', `${KEY}a`, undefined]) {
      expect(() => httpbl({ key: key as string })).toThrow(/^httpbl\.key is (string|undefined|"string"|"undefined")\./)
    }
  })
})

describe('dnsbl with a resolver of its own', () => {
  const answering =
    (answers: Readonly<Record<string, readonly string[]>>, asked: string[] = []): DnsResolve =>
    async (name) => {
      asked.push(name)
      const records = answers[name]
      if (!records) throw Object.assign(new Error(`not found: ${name}`), { code: 'ENOTFOUND' })
      return records
    }
  const GOOD = { '2.0.0.127.list.test': ['127.0.0.2'] }
  const one = (answers: readonly string[], options: object = {}): ReturnType<typeof dnsbl> =>
    dnsbl({ zone: 'list.test', resolve: answering({ ...GOOD, '7.113.0.203.list.test': answers }), ...options })

  it.each([
    ['another octet than 127', ['8.8.8.8'], 'IPGUARD_PROVIDER_FAILED'],
    ['a listing and another octet than 127', ['127.0.0.2', '10.0.0.1'], 'IPGUARD_PROVIDER_FAILED'],
    ['what is no address', ['<html>'], 'IPGUARD_PROVIDER_FAILED'],
    ['127.0.0.1', ['127.0.0.1'], 'IPGUARD_PROVIDER_REFUSED'],
    ['a fault beside a listing', ['127.0.0.2', '127.255.255.254'], 'IPGUARD_PROVIDER_REFUSED'],
    ['an unknown fault', ['127.255.255.7'], 'IPGUARD_PROVIDER_REFUSED'],
  ])('could not tell from %s', async (_name, answers, code) => {
    expect(await outcome(one(answers), '203.0.113.7')).toBe(code)
  })

  it('takes faults of its own, and codes for what would be one', async () => {
    const errors = { '127.0.0.255': 'quota' } as const
    expect(await outcome(one(['127.0.0.255'], { errors }), '203.0.113.7')).toBe('IPGUARD_PROVIDER_QUOTA')
    expect(
      await outcome(one(['127.0.0.1'], { codes: { '127.0.0.1': 40 }, probe: false }), '203.0.113.7'),
    ).toMatchObject({
      score: 40,
    })
  })

  it('joins several listings: the highest score, every category and label once', async () => {
    const codes = {
      '127.0.0.2': { score: 40, categories: ['spam'], label: 'a' },
      '127.0.0.3': { score: 70, categories: ['spam', 'botnet'], label: 'b' },
      '127.0.0.4': 0,
    } as const
    expect(await outcome(one(['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.9'], { codes }), '203.0.113.7')).toEqual({
      score: 70,
      categories: ['spam', 'botnet'],
      detail: 'dnsbl: a, b',
      ttl: 60_000,
    })
  })

  it.each([
    [0, 60_000],
    [59, 60_000],
    [600, 600_000],
    [86_400, 3_600_000],
  ])('keeps a record with a TTL of %i s for %i ms', async (ttl, ms) => {
    const resolve: DnsResolve = async () => [{ address: '127.0.0.2', ttl }]
    const provider = dnsbl({ zone: 'list.test', resolve, probe: false })
    expect(await outcome(provider, '203.0.113.7')).toMatchObject({ ttl: ms })
  })

  it('probes before the first use, then each hour, and a bad list after ten minutes', async () => {
    const clock = handClock()
    const asked: string[] = []
    const answers: Record<string, readonly string[]> = { ...GOOD }
    const provider = dnsbl({ zone: 'list.test', resolve: answering(answers, asked), clock })
    const probes = (): number => asked.splice(0).filter((name) => name === '2.0.0.127.list.test').length
    expect(await outcome(provider, '203.0.113.7')).toBeUndefined()
    expect(probes()).toBe(1)
    clock.advance(3_599_999)
    await outcome(provider, '203.0.113.7')
    expect(probes()).toBe(0)
    clock.advance(1)
    delete answers['2.0.0.127.list.test']
    expect(await outcome(provider, '203.0.113.7')).toBe('IPGUARD_PROVIDER_REFUSED')
    expect(probes()).toBe(1)
    answers['2.0.0.127.list.test'] = ['127.0.0.2']
    clock.advance(599_999)
    expect(await outcome(provider, '203.0.113.7')).toBe('IPGUARD_PROVIDER_REFUSED')
    expect(probes()).toBe(0)
    clock.advance(1)
    expect(await outcome(provider, '203.0.113.7')).toBeUndefined()
    expect(probes()).toBe(1)
  })

  it('is asked again by a guard ten minutes after a bad probe, and not before', async () => {
    const clock = handClock()
    const asked: string[] = []
    const answers: Record<string, readonly string[]> = {}
    const provider = dnsbl({ zone: 'list.test', resolve: answering(answers, asked), clock })
    const guard = createGuard({ clock, policies: [reputation({ providers: [provider] })] })
    const lookUp = async (ip: string): Promise<number> => {
      void guard.check(new Request('http://shop.example/'), { peer: ip })
      for (let i = 0; i < 5; i++) await new Promise(setImmediate)
      return asked.splice(0).length
    }
    expect(await lookUp('9.9.9.1')).toBe(2)
    answers['2.0.0.127.list.test'] = ['127.0.0.2']
    clock.advance(599_999)
    expect(await lookUp('9.9.9.2')).toBe(0)
    clock.advance(1)
    expect(await lookUp('9.9.9.3')).toBe(3)
    await guard.close()
  })

  it.each([
    [600, '1m', 60_000],
    [600, '30s', 30_000],
    [0, '30s', 30_000],
    [600, '6h', 600_000],
    [86_400, '6h', 3_600_000],
  ] as const)('keeps a record with a TTL of %i s no longer than ttl.verdict of %s: %i ms', async (ttl, verdict, ms) => {
    const resolve: DnsResolve = async () => [{ address: '127.0.0.2', ttl }]
    const provider = dnsbl({ zone: 'list.test', resolve, probe: false, ttl: { verdict } })
    expect(await outcome(provider, '203.0.113.7')).toMatchObject({ ttl: ms })
  })

  it('asks nobody when it was aborted before', async () => {
    const asked: string[] = []
    for (const provider of [
      dnsbl({ zone: 'list.test', resolve: answering(GOOD, asked) }),
      httpbl({ key: KEY, resolve: answering(GOOD, asked) }),
    ]) {
      await expect(provider.lookup('203.0.113.7', { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'IPGUARD_PROVIDER_TIMEOUT',
      })
    }
    expect(asked).toEqual([])
  })

  it('probes again at once when nothing could be told', async () => {
    let fails = true
    const resolve: DnsResolve = async (name, given) => {
      if (fails) throw Object.assign(new Error('x'), { code: 'ESERVFAIL' })
      return answering(GOOD)(name, given)
    }
    const provider = dnsbl({ zone: 'list.test', resolve })
    await expect(provider.lookup('203.0.113.7', context)).rejects.toThrow('(ESERVFAIL)')
    fails = false
    expect(await outcome(provider, '203.0.113.7')).toBeUndefined()
  })

  it('has presets with the lists’ own zones, and IPv4 only where a list has no more', async () => {
    const asked: string[] = []
    const resolve = answering(
      { '2.0.0.127.bl.blocklist.de': ['127.0.0.2'], '7.113.0.203.bl.blocklist.de': ['127.0.0.14'] },
      asked,
    )
    expect(await outcome(blocklistDe({ resolve }), '203.0.113.7')).toMatchObject({
      score: 70,
      categories: ['brute-force'],
    })
    expect(await outcome(torDnsel({ resolve }), '203.0.113.7')).toBeUndefined()
    expect(asked.slice(-2)).toEqual(['1.0.0.127.dnsel.torproject.org', '7.113.0.203.dnsel.torproject.org'])
    expect(torDnsel().supports?.('2001:db8::1')).toBe(false)
    expect([spamhausZen(), blocklistDe(), torDnsel()].map(({ name }) => name)).toEqual([
      'spamhaus-zen',
      'blocklist-de',
      'tor-dnsel',
    ])
  })

  it.each([
    [{ zone: '' }, 'dnsbl.zone is ""'],
    [{ zone: 'a..b' }, 'dnsbl.zone is "a..b"'],
    [{ zone: `${'a'.repeat(60)}.${'b'.repeat(60)}` }, 'dnsbl.zone is'],
    [{ zone: 'a', key: 'a.b' }, 'dnsbl.key is'],
    [{ zone: 'a', codes: {} }, 'dnsbl.codes is "empty"'],
    [{ zone: 'a', codes: { '10.0.0.1': 5 } }, 'dnsbl.codes is "10.0.0.1"'],
    [{ zone: 'a', codes: { '127.0.0.2': 101 } }, 'dnsbl.codes["127.0.0.2"].score is 101'],
    [{ zone: 'a', codes: { '127.0.0.2': { score: 5, categories: ['bad'] } } }, 'categories is "bad"'],
    [{ zone: 'a', errors: { '127.0.0.2': 'bad' } }, 'dnsbl.errors["127.0.0.2"] is "bad"'],
    [{ zone: 'a', tries: 0 }, 'dnsbl.tries is 0'],
    [{ zone: 'a', servers: ['dns.example'] }, 'dnsbl.servers is'],
    [{ zone: 'a', probe: { listed: 'x' } }, 'dnsbl.probe.listed is "x"'],
    [{ zone: 'a', zones: 'b' }, 'dnsbl has no option "zones". Did you mean "zone"?'],
  ])('refuses %j', (options, message) => {
    expect(() => dnsbl(options as never)).toThrow(message)
  })

  it('names the preset in errors', () => {
    expect(() => spamhausDqs({} as never)).toThrow('spamhausDqs.key is')
    expect(() => spamhausZen({ tries: 9 })).toThrow('spamhausZen.tries is 9')
    expect(() => spamhausDqs(undefined as never)).toThrow('spamhausDqs')
  })
})
