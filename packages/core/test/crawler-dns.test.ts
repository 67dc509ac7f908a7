import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dnsmasq, startDnsmasq, waitUntil } from '../../../tools/services/index.ts'
import { memoryStore } from '../../store-memory/src/index.ts'
import type { CrawlerEvent, VerifiedCrawlersOptions } from '../src/crawler/crawler-options.ts'
import { systemDns } from '../src/crawler/system-dns.ts'
import { type VerifiedCrawlers, verifiedCrawlers } from '../src/crawler/verified-crawlers.ts'
import { createGuard } from '../src/create-guard.ts'
import { deny } from '../src/policy/lists.ts'
import { request } from './test-guard.ts'

const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
const REVERSE_6 = '0.0.0.0.1.0.8.4.0.6.8.4.1.0.0.2.ip6.arpa'

let server: Dnsmasq
beforeAll(async () => {
  server = await startDnsmasq({
    zones: ['249.66.in-addr.arpa', REVERSE_6, 'googlebot.com'],
    pointers: [
      ['1.66.249.66.in-addr.arpa', 'crawl-66-249-66-1.googlebot.com'],
      ['2.66.249.66.in-addr.arpa', 'CRAWL-66-249-66-2.GoogleBot.com'],
      ['3.66.249.66.in-addr.arpa', 'crawl-66-249-66-1.googlebot.com'],
      ['4.66.249.66.in-addr.arpa', 'crawl-66-249-66-4.googlebot.com.evil.example'],
      ['5.66.249.66.in-addr.arpa', 'host.example'],
      ['5.66.249.66.in-addr.arpa', 'crawl-66-249-66-5.googlebot.com'],
      [`1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.${REVERSE_6}`, 'crawl-v6.googlebot.com'],
    ],
    addresses: [
      ['crawl-66-249-66-1.googlebot.com', '66.249.66.1'],
      ['crawl-66-249-66-2.googlebot.com', '66.249.66.2'],
      ['crawl-66-249-66-5.googlebot.com', '66.249.66.99'],
      ['crawl-66-249-66-5.googlebot.com', '66.249.66.5'],
      ['crawl-v6.googlebot.com', '66.249.66.6'],
      ['crawl-v6.googlebot.com', '2001:4860:4801::1'],
    ],
  })
})
afterAll(() => server.stop())

interface Scene {
  readonly rule: VerifiedCrawlers
  readonly events: CrawlerEvent[]
  ask(ip: string): string
}

function scene(options: VerifiedCrawlersOptions = {}): Scene {
  const events: CrawlerEvent[] = []
  const rule = verifiedCrawlers({ servers: [server.address], onVerified: (event) => events.push(event), ...options })
  const guard = createGuard({
    store: memoryStore(),
    policies: [deny(['66.249.64.0/19', '2001:4860::/32'], { except: [rule] })],
  })
  const headers = new Headers({ 'user-agent': GOOGLEBOT })
  return {
    rule,
    events,
    ask(ip) {
      const decision = guard.check(request({ headers }), { peer: ip })
      if (decision instanceof Promise) throw new Error('The decision was a promise.')
      return decision.action
    },
  }
}

describe('against a real name server, with the resolver of Node', () => {
  test.each([
    ['66.249.66.1', 'allow', 'the address of a crawler'],
    ['66.249.66.2', 'allow', 'one whose name is spelled in another case'],
    ['66.249.66.5', 'allow', 'one with two names and two addresses'],
    ['2001:4860:4801::1', 'allow', 'one of IPv6'],
    ['66.249.66.3', 'deny', 'a forged name, which has another address'],
    ['66.249.66.4', 'deny', 'a name that goes on behind the domain'],
    ['66.249.66.200', 'deny', 'an address without a name'],
  ])('%s, a feed lists it: %s (%s)', async (ip, then) => {
    const { ask, rule, events } = scene()
    expect(ask(ip)).toBe('allow')
    await waitUntil('it is looked up', () => rule.status().pending === 0, 5_000)
    expect(ask(ip)).toBe(then)
    expect(events).toEqual([{ ip, crawler: 'google', verified: then === 'allow' }])
  })

  test('a server that answers nothing: spared for the time of a look-up, then not, and again when it is back', async () => {
    const { ask, rule } = scene({ timeout: 400, ttl: { error: 1 } })
    server.freeze()
    try {
      expect(ask('66.249.66.1')).toBe('allow')
      await waitUntil('it is given up', () => rule.status().failed === 1, 5_000)
      expect(rule.status().pending).toBe(0)
    } finally {
      server.thaw()
    }
    await waitUntil(
      'it is verified',
      () => {
        ask('66.249.66.1')
        return rule.status().verified === 1
      },
      10_000,
    )
    expect(ask('66.249.66.1')).toBe('allow')
  })

  test('a zone that it does not serve is a failure, a name that is not there an answer', async () => {
    const dns = systemDns([server.address], 2_000)
    const { signal } = new AbortController()
    expect(await dns?.reverse('66.249.66.200', signal)).toEqual([])
    expect(await dns?.addresses('nobody.googlebot.com', 4, signal)).toEqual([])
    expect(await dns?.addresses('crawl-66-249-66-1.googlebot.com', 6, signal)).toEqual([])
    await expect(dns?.reverse('9.9.9.9', signal)).rejects.toThrow()
  })

  test('a question that is given up ends at once', async () => {
    const dns = systemDns([server.address], 60_000)
    const controller = new AbortController()
    server.freeze()
    try {
      const asked = dns?.reverse('66.249.66.1', controller.signal)
      controller.abort()
      await expect(asked).rejects.toThrow('ECANCELLED')
      await expect(dns?.reverse('66.249.66.1', controller.signal)).rejects.toThrow()
    } finally {
      server.thaw()
    }
  })
})
