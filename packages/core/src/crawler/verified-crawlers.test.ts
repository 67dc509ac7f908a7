import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { BINGBOT, CRAWLER, crawlerScene, FEED, GOOGLEBOT, NAME, OTHER, SPECIAL } from '../../test/crawler-scene.ts'
import { crawlerZone, fakeDns } from '../../test/fake-dns.ts'
import { turn } from '../../test/hand-clock.ts'
import { request } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { parseAddress } from '../ip/address.ts'
import { ipSet } from '../ip/ip-set.ts'
import { deny } from '../policy/lists.ts'
import { verifiedCrawlers } from './verified-crawlers.ts'

const HOUR = 3_600_000

describe('a feed that lists a crawler', () => {
  test('never denies it: neither while it is looked up, nor after', async () => {
    const { ask, dns, rule, events } = crawlerScene()
    const first = ask(CRAWLER, GOOGLEBOT)
    expect(first).toMatchObject({ action: 'allow', pending: ['verified-crawlers'] })
    expect(rule.status()).toMatchObject({ pending: 1, verified: 0 })
    await turn()
    expect(rule.status()).toEqual({ verified: 1, pending: 0, unverified: 0, failed: 0, dropped: 0 })
    const second = ask(CRAWLER, GOOGLEBOT)
    expect(second.action).toBe('allow')
    expect(second.pending).toBeUndefined()
    expect(dns.asked).toEqual([CRAWLER])
    expect(events).toEqual([{ ip: CRAWLER, crawler: 'google', verified: true }])
  })

  test('lets it through with any User-Agent once it is verified, and while it is looked up', async () => {
    const { ask, dns } = crawlerScene()
    dns.hold(true)
    expect(ask(CRAWLER, GOOGLEBOT).action).toBe('allow')
    expect(ask(CRAWLER).action).toBe('allow')
    dns.hold(false)
    await turn()
    expect(ask(CRAWLER, 'curl/8').action).toBe('allow')
    expect(dns.asked).toEqual([CRAWLER])
  })

  test('denies it without a look-up when it does not say that it is one', () => {
    const { ask, dns } = crawlerScene()
    expect(ask(CRAWLER).action).toBe('deny')
    expect(ask(CRAWLER, 'Mozilla/5.0 Firefox/150').action).toBe('deny')
    expect(ask(CRAWLER, `${'x'.repeat(600)} Googlebot`).action).toBe('deny')
    expect(dns.asked).toEqual([])
  })

  test('looks up each crawler by its own words', async () => {
    const agents: readonly (readonly [string, string, string])[] = [
      ['9.0.0.1', BINGBOT, 'msnbot-9-0-0-1.search.msn.com'],
      ['9.0.0.2', 'Mozilla/5.0 (...) Safari/600.2.5 (Applebot/0.1)', '9-0-0-2.applebot.apple.com'],
      ['9.0.0.3', 'Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)', '9-0-0-3.spider.yandex.com'],
      ['9.0.0.4', 'Mozilla/5.0 (compatible; Baiduspider/2.0)', 'baiduspider-9-0-0-4.crawl.baidu.com'],
      ['9.0.0.5', 'AdsBot-Google (+http://www.google.com/adsbot.html)', 'rate-limited-proxy-9-0-0-5.google.com'],
    ]
    const zone = Object.assign({}, ...agents.map(([ip, , name]) => crawlerZone(ip, name))) as Record<string, string[]>
    const { ask, events } = crawlerScene({}, zone)
    for (const [ip, agent] of agents) ask(ip, agent)
    await turn()
    expect(events.map(({ crawler, verified }) => verified && crawler)).toEqual([
      'bing',
      'apple',
      'yandex',
      'baidu',
      'google',
    ])
    for (const [ip] of agents) expect(ask(ip).action).toBe('allow')
  })

  test('is told of an own crawler and takes the others for nobody', async () => {
    const custom = [{ name: 'mine', agents: ['Mine+Bot (a|b)'], suffixes: ['crawl.mine.example'] }]
    const { twice, events } = crawlerScene(
      { crawlers: [], custom },
      { ...crawlerZone(CRAWLER, NAME), ...crawlerZone('9.0.0.1', 'a.crawl.mine.example') },
    )
    expect(await twice(CRAWLER, GOOGLEBOT)).toEqual(['deny', 'deny'])
    expect(await twice(CRAWLER, 'x mine+bot (a|b)/1.0')).toEqual(['allow', 'deny'])
    expect(await twice('9.0.0.1', 'x mine+bot (a|b)/1.0')).toEqual(['allow', 'allow'])
    expect(events.at(-1)).toEqual({ ip: '9.0.0.1', crawler: 'mine', verified: true })
  })
})

describe('a forged claim', () => {
  test.each<[string, Record<string, readonly string[]>]>([
    ['without a name', {}],
    ['with a name of its own', crawlerZone(OTHER, 'googlebot.com.evil.example')],
    ['with a name that only looks alike', crawlerZone(OTHER, 'evilgooglebot.com')],
    ['with a forged name', { [OTHER]: [NAME], [NAME]: [CRAWLER] }],
    ['from a machine that anyone can rent', crawlerZone(OTHER, '4.4.8.8.bc.googleusercontent.com')],
  ])('%s passes only while it is looked up', async (_what, zone) => {
    const { twice, ask, dns, events, clock } = crawlerScene({}, zone)
    expect(await twice(OTHER, GOOGLEBOT)).toEqual(['allow', 'deny'])
    expect(events).toEqual([{ ip: OTHER, crawler: 'google', verified: false }])
    clock.advance(HOUR - 1)
    expect(ask(OTHER, GOOGLEBOT).action).toBe('deny')
    expect(ask(OTHER, BINGBOT).action).toBe('deny')
    expect(dns.asked).toEqual([OTHER])
    clock.advance(1)
    expect(await twice(OTHER, GOOGLEBOT)).toEqual(['allow', 'deny'])
    expect(dns.asked).toEqual([OTHER, OTHER])
  })

  test('whose look-up drags passes for the time of one look-up, and is then given up', async () => {
    const { ask, dns, clock, rule } = crawlerScene()
    dns.hold(true)
    expect(ask(OTHER, GOOGLEBOT).action).toBe('allow')
    clock.advance(1_999)
    expect(ask(OTHER, GOOGLEBOT).action).toBe('allow')
    clock.advance(1)
    expect(dns.aborted()).toBe(1)
    expect(ask(OTHER, GOOGLEBOT).action).toBe('deny')
    expect(rule.status()).toMatchObject({ pending: 0, failed: 1 })
    dns.hold(false)
    await turn()
    expect(clock.pending()).toBe(0)
  })

  test('that comes late proves nothing any more', async () => {
    const { ask, dns, clock, rule, events } = crawlerScene()
    dns.hold(true)
    ask(CRAWLER, GOOGLEBOT)
    clock.advance(2_000)
    dns.hold(false)
    await turn()
    expect(rule.status()).toMatchObject({ verified: 0, failed: 1 })
    expect(events).toEqual([])
    expect(ask(CRAWLER, GOOGLEBOT).action).toBe('deny')
  })

  test('of a private or special address is asked about by nobody', () => {
    const { ask, dns } = crawlerScene({}, { ...crawlerZone('10.0.0.5', NAME), ...crawlerZone(SPECIAL, NAME) })
    expect(ask('10.0.0.5', GOOGLEBOT).action).toBe('deny')
    expect(ask(SPECIAL, GOOGLEBOT).action).toBe('deny')
    expect(dns.asked).toEqual([])
  })

  test('of a client whose every hop was a trusted proxy opens nothing', async () => {
    const dns = fakeDns(crawlerZone(CRAWLER, NAME))
    const rule = verifiedCrawlers({ dns, ranges: { google: ['66.249.64.0/19'] } })
    const guard = createGuard({
      store: memoryStore(),
      policies: [deny(FEED, { except: [rule] })],
      clientIp: { header: 'x-forwarded-for', trust: ['66.249.64.0/19', '192.0.2.1'] },
    })
    const headers = new Headers({ 'x-forwarded-for': CRAWLER, 'user-agent': GOOGLEBOT })
    expect(guard.check(request({ headers }), { peer: '192.0.2.1' })).toMatchObject({ action: 'deny' })
    expect(dns.asked).toEqual([])
  })
})

describe('published ranges', () => {
  test('spare without a look-up and whatever the User-Agent; what lies outside is looked up as ever', async () => {
    const { ask, dns, rule, twice } = crawlerScene({ ranges: { googlebot: ['66.249.66.0/24'] } })
    expect(ask(CRAWLER).action).toBe('allow')
    expect(rule.knows(parseAddress(CRAWLER)!)).toBe(true)
    expect(dns.asked).toEqual([])
    expect(await twice(OTHER, GOOGLEBOT)).toEqual(['allow', 'deny'])
    expect(dns.asked).toEqual([OTHER])
  })

  test('may come later: until the list is there, names decide', async () => {
    const list: { current: ReturnType<typeof ipSet> | undefined } = { current: undefined }
    const { ask } = crawlerScene({ ranges: { googlebot: list } }, {})
    expect(ask(CRAWLER)).toMatchObject({ action: 'deny', degraded: ['verified-crawlers'] })
    list.current = ipSet(['66.249.64.0/19'])
    expect(ask(CRAWLER).action).toBe('allow')
    list.current = ipSet(['192.0.2.0/24'])
    const refused = ask(CRAWLER)
    expect(refused.action).toBe('deny')
    expect(refused.degraded).toBeUndefined()
  })
})
