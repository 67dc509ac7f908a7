import { memoryStore } from '../../store-memory/src/index.ts'
import type { CrawlerEvent, VerifiedCrawlersOptions } from '../src/crawler/crawler-options.ts'
import { type VerifiedCrawlers, verifiedCrawlers } from '../src/crawler/verified-crawlers.ts'
import { createGuard } from '../src/create-guard.ts'
import type { Guard } from '../src/guard/guard.ts'
import type { Decision } from '../src/policy/decision.ts'
import { deny } from '../src/policy/lists.ts'
import { crawlerZone, type FakeDns, fakeDns } from './fake-dns.ts'
import { type HandClock, handClock, turn } from './hand-clock.ts'
import { request } from './test-guard.ts'

export const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
export const BINGBOT = 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)'
export const CRAWLER = '66.249.66.1'
export const NAME = 'crawl-66-249-66-1.googlebot.com'
/** One of a special range. */
export const SPECIAL = '198.18.0.1'
/** Public addresses that are nobody's crawler here. */
export const OTHER = '8.8.4.4'
export const FEED = [
  '66.249.64.0/19',
  '8.8.4.0/24',
  '157.55.33.18',
  '2001:4860::/32',
  '10.0.0.0/8',
  `${SPECIAL}/32`,
  '9.0.0.0/8',
]

export interface CrawlerScene {
  readonly guard: Guard
  readonly rule: VerifiedCrawlers
  readonly dns: FakeDns
  readonly clock: HandClock
  readonly events: CrawlerEvent[]
  readonly warnings: string[]
  ask(ip: string, agent?: string): Decision
  /** Asks, lets the look-up end, and asks again: how both went. */
  twice(ip: string, agent?: string): Promise<readonly [string, string]>
}

/** A guard whose feed lists everybody, with the rule in its `except`, a resolver over a table and a clock set by hand. */
export function crawlerScene(
  options: VerifiedCrawlersOptions = {},
  zone: Parameters<typeof fakeDns>[0] = crawlerZone(CRAWLER, NAME),
): CrawlerScene {
  const dns = fakeDns(zone)
  const clock = handClock()
  const events: CrawlerEvent[] = []
  const warnings: string[] = []
  const rule = verifiedCrawlers({
    clock: { after: (ms, call) => clock.after?.(ms, call) ?? (() => {}) },
    onVerified: (event) => events.push(event),
    ...('servers' in options ? {} : { dns }),
    ...options,
  })
  const guard = createGuard({
    store: memoryStore(),
    clock,
    policies: [deny(FEED, { except: [rule] })],
    onWarning: ({ code }) => warnings.push(code),
  })
  const ask: CrawlerScene['ask'] = (ip, agent) => {
    const headers = new Headers(agent === undefined ? {} : { 'user-agent': agent })
    return guard.check(request({ headers }), { peer: ip }) as Decision // nothing here waits
  }
  return {
    guard,
    rule,
    dns,
    clock,
    events,
    warnings,
    ask,
    async twice(ip, agent) {
      const first = ask(ip, agent).action
      await turn()
      return [first, ask(ip, agent).action]
    },
  }
}
