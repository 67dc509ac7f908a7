import { expect, test } from 'vitest'
import { ipSet } from '../ip/ip-set.ts'
import type { VerifiedCrawlersOptions } from './crawler-options.ts'
import { verifiedCrawlers } from './verified-crawlers.ts'

const mine = { name: 'mine', agents: ['minebot'], suffixes: ['crawl.mine.example'] }
const dns = { reverse: async () => [], addresses: async () => [] }

test.each<[string, VerifiedCrawlersOptions | undefined]>([
  ['nothing', undefined],
  ['no crawlers', { crawlers: [] }],
  ['some', { crawlers: ['google', 'bing'] }],
  ['own ones', { custom: [mine, { ...mine, suffixes: ['*.mine.example', 'crawl-*.mine.example'] }] }],
  ['ranges', { ranges: { googlebot: ['66.249.64.0/19'], bing: ipSet([]), later: { current: undefined } } }],
  ['name servers', { servers: ['192.0.2.53', '192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]:5353'] }],
  ['a resolver', { dns, timeout: 500, ttl: { verified: '2d' }, maxAddresses: 1 }],
])('%s is fine', (_what, options) => {
  expect(verifiedCrawlers(options).status()).toEqual({ verified: 0, pending: 0, unverified: 0, failed: 0, dropped: 0 })
})

test.each<[unknown, string]>([
  [{ crawler: ['google'] }, 'verifiedCrawlers has no option "crawler". Did you mean "crawlers"?'],
  [{ crawlers: 'google' }, 'verifiedCrawlers.crawlers is "google". Write an array'],
  [{ crawlers: ['gogle'] }, 'verifiedCrawlers.crawlers[0] is "gogle". Write \'google\' or'],
  [{ crawlers: ['__proto__'] }, 'verifiedCrawlers.crawlers[0] is "__proto__"'],
  [{ crawlers: [undefined] }, 'verifiedCrawlers.crawlers[0] is undefined'],
  [{ custom: mine }, 'verifiedCrawlers.custom is an object. Write an array'],
  [{ custom: ['mine'] }, 'verifiedCrawlers.custom[0] is "mine"'],
  [
    { custom: [{ ...mine, sufixes: [] }] },
    'verifiedCrawlers.custom[0] has no option "sufixes". Did you mean "suffixes"?',
  ],
  [{ custom: [{ ...mine, name: '' }] }, 'verifiedCrawlers.custom[0].name is ""'],
  [{ custom: [{ ...mine, agents: [] }] }, 'verifiedCrawlers.custom[0].agents is an array of 0'],
  [{ custom: [{ ...mine, agents: ['bot'] }] }, 'verifiedCrawlers.custom[0].agents[0] is "bot"'],
  [{ custom: [{ ...mine, agents: ['m\u00efnebot'] }] }, 'verifiedCrawlers.custom[0].agents[0] is "m\u00efnebot"'],
  [{ custom: [{ ...mine, agents: 'minebot' }] }, 'verifiedCrawlers.custom[0].agents is "minebot"'],
  [{ custom: [{ ...mine, agents: ['minebot', undefined] }] }, 'verifiedCrawlers.custom[0].agents[1] is undefined'],
  [{ custom: [{ ...mine, suffixes: ['com'] }] }, 'verifiedCrawlers.custom[0].suffixes[0] is "com"'],
  [{ custom: [{ ...mine, suffixes: [] }] }, 'verifiedCrawlers.custom[0].suffixes is an array of 0'],
  [{ custom: [{ ...mine, suffixes: ['66.249.66.1'] }] }, 'verifiedCrawlers.custom[0].suffixes[0] is "66.249.66.1"'],
  [{ custom: [{ name: 'mine', agents: ['minebot'] }] }, 'verifiedCrawlers.custom[0].suffixes is undefined'],
  [{ ranges: ['66.249.64.0/19'] }, 'verifiedCrawlers.ranges is an array of 1. Write lists by name'],
  [{ ranges: { current: ipSet(['66.249.64.0/19']) } }, 'verifiedCrawlers.ranges is an object. Write lists by name'],
  [{ ranges: { google: [] } }, 'verifiedCrawlers.ranges.google is "an empty list"'],
  [{ ranges: { google: ['66.249.64/19'] } }, 'is not a CIDR: "66.249.64/19"'],
  [{ dns: {} }, 'verifiedCrawlers.dns is an object. Write an object with reverse(), addresses()'],
  [{ dns, servers: ['192.0.2.53'] }, 'verifiedCrawlers.servers is an array of 1. Write it without dns'],
  [{ servers: [] }, 'verifiedCrawlers.servers is an array of 0'],
  [{ servers: '192.0.2.53' }, 'verifiedCrawlers.servers is "192.0.2.53"'],
  [{ servers: ['dns.example'] }, 'verifiedCrawlers.servers[0] is "dns.example"'],
  [{ servers: ['192.0.2.53:0'] }, 'verifiedCrawlers.servers[0] is "192.0.2.53:0"'],
  [{ servers: ['192.0.2.53:65536'] }, 'verifiedCrawlers.servers[0] is "192.0.2.53:65536"'],
  [{ servers: ['[2001:db8::53]x'] }, 'verifiedCrawlers.servers[0] is "[2001:db8::53]x"'],
  [{ timeout: 0 }, 'verifiedCrawlers.timeout is not a duration'],
  [{ ttl: { error: 'soon' } }, 'verifiedCrawlers.ttl.error is not a duration'],
  [{ ttl: { negative: '1h' } }, 'verifiedCrawlers.ttl has no option "negative"'],
  [{ maxAddresses: 0 }, 'verifiedCrawlers.maxAddresses is 0. Write a whole number from 1'],
  [{ onVerified: true }, 'verifiedCrawlers.onVerified is true. Write a function'],
  [{ clock: { now: () => 0 } }, 'verifiedCrawlers.clock is an object. Write an object with after()'],
  [null, 'verifiedCrawlers is null'],
])('%j is refused when it is made', (options, message) => {
  expect(() => verifiedCrawlers(options as VerifiedCrawlersOptions)).toThrow(message) // that is the point
})
