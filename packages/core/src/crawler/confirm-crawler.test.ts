import { describe, expect, test } from 'vitest'
import { parseAddress } from '../ip/address.ts'
import { confirmCrawler, type KnownCrawler } from './confirm-crawler.ts'
import { parseSuffix } from './host-name.ts'
import { arpaName, type CrawlerDns } from './system-dns.ts'

const suffixes = (...texts: readonly string[]): KnownCrawler['suffixes'] =>
  texts.flatMap((text) => parseSuffix(text) ?? [])
const CRAWLERS: readonly KnownCrawler[] = [
  { name: 'google', agents: ['googlebot'], suffixes: suffixes('googlebot.com', 'rate-limited-proxy-*.google.com') },
  { name: 'bing', agents: ['bingbot'], suffixes: suffixes('search.msn.com') },
]
const IP = '66.249.66.1'
const NAME = 'crawl-66-249-66-1.googlebot.com'

interface Zones {
  readonly names?: unknown
  readonly addresses?: Readonly<Record<string, unknown>>
}

function fakeDns({ names = [], addresses = {} }: Zones): CrawlerDns & { readonly asked: string[] } {
  const asked: string[] = []
  const answer = async (value: unknown): Promise<never> => {
    if (value instanceof Error) throw value
    return value as never // tests answer nonsense too
  }
  return {
    asked,
    reverse(ip) {
      asked.push(ip)
      return answer(names)
    },
    addresses(name, family) {
      asked.push(`${name} ${family}`)
      return answer(addresses[name] ?? [])
    },
  }
}

const confirm = (dns: CrawlerDns, ip = IP): Promise<string | undefined> =>
  confirmCrawler(parseAddress(ip)!, CRAWLERS, dns, new AbortController().signal)

describe("an address is a crawler's", () => {
  test('when its name ends with a suffix and has the address', async () => {
    const dns = fakeDns({ names: [NAME], addresses: { [NAME]: [IP] } })
    expect(await confirm(dns)).toBe('google')
    expect(dns.asked).toEqual([IP, `${NAME} 4`])
  })

  test('in any case, with the dot of the root, and as the second of several names and addresses', async () => {
    const dns = fakeDns({
      names: ['host.example', 'CRAWL-66-249-66-1.GOOGLEBOT.COM.'],
      addresses: { [NAME]: ['66.249.66.2', IP] },
    })
    expect(await confirm(dns)).toBe('google')
    expect(dns.asked).toEqual([IP, `${NAME} 4`])
  })

  test('in IPv6, in whatever spelling the answer comes', async () => {
    const dns = fakeDns({
      names: ['msnbot-1.search.msn.com'],
      addresses: { 'msnbot-1.search.msn.com': ['2A01:111:0:0::0001'] },
    })
    expect(await confirm(dns, '2a01:111::1')).toBe('bing')
    expect(dns.asked).toEqual(['2a01:111::1', 'msnbot-1.search.msn.com 6'])
  })

  test('although another of its names could not be looked up', async () => {
    const dns = fakeDns({
      names: ['crawl-0.googlebot.com', NAME],
      addresses: { 'crawl-0.googlebot.com': new Error('SERVFAIL'), [NAME]: [IP] },
    })
    expect(await confirm(dns)).toBe('google')
  })
})

describe("an address is nobody's", () => {
  test.each<[string, Zones]>([
    ['it has no name', {}],
    ['its name is forged: it has other addresses', { names: [NAME], addresses: { [NAME]: ['66.249.66.2'] } }],
    ['its name is forged: it has no address', { names: [NAME] }],
    ["the answer is another family's", { names: [NAME], addresses: { [NAME]: ['2001:4860::1'] } }],
    ['the answer is no address', { names: [NAME], addresses: { [NAME]: ['66.249.66.01', null, 7, `${IP} `, {}] } }],
  ])('when %s', async (_what, zones) => {
    expect(await confirm(fakeDns(zones))).toBeUndefined()
  })

  test.each([
    'googlebot.com.evil.example',
    'evilgooglebot.com',
    'crawl-1.googlebot.com.evil.example',
    '1.bc.googleusercontent.com',
    '1.gae.googleusercontent.com',
    'google-proxy-66-249-66-1.google.com',
    'mail.google.com',
    'msn.com',
    IP,
    `${'a'.repeat(64)}.googlebot.com`,
    'a_b.googlebot.com',
    'evil.example\0.googlebot.com',
  ])('when its name is %j: that name is not even asked for', async (name) => {
    const dns = fakeDns({ names: [name], addresses: { [name]: [IP] } })
    expect(await confirm(dns)).toBeUndefined()
    expect(dns.asked).toEqual([IP])
  })

  test('when the right name is the eleventh: of more names nothing is read', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `host-${i}.example`)
    expect(await confirm(fakeDns({ names: [...names, NAME], addresses: { [NAME]: [IP] } }))).toBeUndefined()
    expect(await confirm(fakeDns({ names: [...names.slice(1), NAME], addresses: { [NAME]: [IP] } }))).toBe('google')
  })

  test('when the right address is the fifty-first', async () => {
    const addresses = Array.from({ length: 50 }, (_, i) => `66.249.67.${i}`)
    expect(await confirm(fakeDns({ names: [NAME], addresses: { [NAME]: [...addresses, IP] } }))).toBeUndefined()
    expect(await confirm(fakeDns({ names: [NAME], addresses: { [NAME]: [...addresses.slice(1), IP] } }))).toBe('google')
  })

  test('and a name that stands there ten times is asked for once', async () => {
    const dns = fakeDns({ names: Array.from({ length: 10 }, (_, i) => (i % 2 ? NAME : `${NAME}.`)) })
    expect(await confirm(dns)).toBeUndefined()
    expect(dns.asked).toEqual([IP, `${NAME} 4`])
  })
})

describe('it could not be told', () => {
  test.each<[string, Zones]>([
    ['the reverse look-up fails', { names: new Error('SERVFAIL') }],
    ['the forward look-up fails', { names: [NAME], addresses: { [NAME]: new Error('SERVFAIL') } }],
    [
      'one of two fails and the other has no such address',
      { names: [NAME, 'crawl-0.googlebot.com'], addresses: { [NAME]: new Error('SERVFAIL') } },
    ],
    ['the answer is no list', { names: NAME }],
    ['the answer is nothing', { names: null }],
  ])('when %s', async (_what, zones) => {
    await expect(confirm(fakeDns(zones))).rejects.toThrow()
  })

  test('once the look-up is aborted: no name is asked for then', async () => {
    const controller = new AbortController()
    const dns = fakeDns({ names: [NAME], addresses: { [NAME]: [IP] } })
    const slow: CrawlerDns = {
      ...dns,
      async reverse() {
        controller.abort()
        return [NAME]
      },
    }
    await expect(confirmCrawler(parseAddress(IP)!, CRAWLERS, slow, controller.signal)).rejects.toThrow()
    expect(dns.asked).toEqual([])
  })
})

test('the reverse name of an address', () => {
  const name = (ip: string): string => arpaName(parseAddress(ip)!)
  expect(name('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa')
  expect(name('255.128.3.200')).toBe('200.3.128.255.in-addr.arpa')
  expect(name('2001:db8::f00:1')).toBe('1.0.0.0.0.0.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa')
})
