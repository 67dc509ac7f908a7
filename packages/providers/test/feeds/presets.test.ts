import { type IpGuardError, ipSet } from '@ipguard/core'
import { describe, expect, test } from 'vitest'
import type { Feed, FeedOptions, PresetOptions } from '../../src/feeds/index.ts'
import * as feeds from '../../src/feeds/index.ts'
import { handClock, sample } from './feed-parts.ts'

/** A feed that reads this text in place of its URL. */
type Make = (options: PresetOptions) => Feed

async function read(make: Make, text: string): Promise<Feed> {
  const feed = make({ source: () => [text], clock: handClock(), onWarning: () => undefined })
  await feed.ready()
  return feed
}

const API = JSON.stringify({
  result: { ipv4_cidrs: ['173.245.48.0/20'], ipv6_cidrs: ['2400:cb00::/32'], etag: 'x' },
  success: true,
  errors: [],
  messages: [],
})
const META = JSON.stringify({
  verifiable_password_authentication: false,
  ssh_key_fingerprints: { SHA256_ECDSA: 'p2QAMXNIC1TJYWeIOttrVc98' },
  ssh_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5'],
  hooks: ['192.30.252.0/22', '2a0a:a440::/29'],
  web: ['140.82.112.0/20'],
  domains: { website: ['*.github.com'] },
})
const BOTS =
  '{"creationTime":"2026-08-21T14:45:42","prefixes":[{"ipv4Prefix":"157.55.39.0/24"},{"ipv6Prefix":"2620:1ec::/36"}]}'

describe('every preset reads what its source serves, to the last entry', () => {
  const google = { ip: '192.178.6.230', cidr: '192.178.6.224/27' }
  test.each<readonly [name: string, make: Make, text: string, size: number, ip: string, cidr: string, label: string]>([
    [
      'spamhausDrop',
      feeds.spamhausDrop,
      sample('spamhaus-drop-v4.ndjson'),
      40,
      '1.10.31.255',
      '1.10.16.0/20',
      'spamhaus-drop-v4 SBL256894',
    ],
    ['firehol', feeds.firehol, sample('firehol-level1.netset'), 11, '1.19.7.7', '1.19.0.0/16', 'firehol-level1'],
    [
      'ipsum',
      (all) => feeds.ipsum({ ...all, threshold: 8 }),
      sample('ipsum.txt'),
      23,
      '77.90.185.20',
      '77.90.185.20/32',
      'ipsum 10',
    ],
    ['feodo', feeds.feodo, sample('feodo.csv'), 28, '192.9.135.73', '192.9.135.73/32', 'feodo Pikabot'],
    [
      'blocklistDe',
      feeds.blocklistDe,
      '1.0.170.118\r\n2001:4860::7\r\n',
      2,
      '2001:4860::7',
      '2001:4860::7/128',
      'blocklist-de-all',
    ],
    [
      'etCompromised',
      feeds.etCompromised,
      sample('et-compromised.txt'),
      100,
      '101.50.83.146',
      '101.50.83.146/32',
      'et-compromised',
    ],
    ['cins', feeds.cins, '1.0.170.118\n1.1.1.9\n', 2, '1.1.1.9', '1.1.1.9/32', 'cins'],
    ['torExits', feeds.torExits, sample('tor-exits.txt'), 60, '185.241.208.232', '185.241.208.232/32', 'tor-exits'],
    ['ipwhoisFeed', feeds.ipwhoisFeed, sample('ipwhois-feed.txt'), 67, '1.34.27.213', '1.34.27.213/32', 'ipwhois-feed'],
    [
      'x4bnet vpn v4',
      (all) => feeds.x4bnet({ ...all, list: 'vpn' }),
      sample('x4bnet-vpn-v4.txt'),
      40,
      '2.26.157.9',
      '2.26.157.0/24',
      'x4bnet-vpn-v4',
    ],
    [
      'x4bnet vpn v6',
      (all) => feeds.x4bnet({ ...all, list: 'vpn', version: 6 }),
      sample('x4bnet-vpn-v6.txt'),
      40,
      '2001:550:1d05::1',
      '2001:550:1d05::/48',
      'x4bnet-vpn-v6',
    ],
    [
      'x4bnet datacenter v4',
      (all) => feeds.x4bnet({ ...all, list: 'datacenter' }),
      sample('x4bnet-datacenter-v4.txt'),
      40,
      '1.13.0.1',
      '1.12.0.0/14',
      'x4bnet-datacenter-v4',
    ],
    [
      'x4bnet datacenter v6',
      (all) => feeds.x4bnet({ ...all, list: 'datacenter', version: 6 }),
      sample('x4bnet-datacenter-v6.txt'),
      40,
      '2001:310::1',
      '2001:310::/32',
      'x4bnet-datacenter-v6',
    ],
    [
      'icloudPrivateRelay',
      feeds.icloudPrivateRelay,
      '172.224.226.0/27,GB,GB-EN,London,\n2a02:26f7::/64,DE,,,\n',
      2,
      '172.224.226.9',
      '172.224.226.0/27',
      'icloud-private-relay GB',
    ],
    ['aws', feeds.aws, sample('aws.json'), 75, '35.180.1.1', '35.180.0.0/16', 'aws EC2'],
    [
      'aws EC2 of eu-west-3',
      (all) => feeds.aws({ ...all, services: ['EC2'], regions: ['eu-west-3'] }),
      sample('aws.json'),
      1,
      '35.180.1.1',
      '35.180.0.0/16',
      'aws EC2',
    ],
    ['gcp', feeds.gcp, sample('gcp.json'), 40, '35.220.32.1', '35.220.32.0/21', 'gcp asia-east1'],
    ['googleAll', feeds.googleAll, sample('goog.json'), 35, '34.8.0.1', '34.8.0.0/13', 'google-all'],
    ['azure', feeds.azure, sample('azure.json'), 16, '2603:1000:3::1', '2603:1000:3::/48', 'azure AzureCloud'],
    [
      'azure by tag',
      (all) => feeds.azure({ ...all, tag: 'ActionGroup' }),
      sample('azure.json'),
      16,
      '4.145.74.53',
      '4.145.74.52/30',
      'azure ActionGroup',
    ],
    ['cloudflareRanges', feeds.cloudflareRanges, API, 2, '2400:cb00::1', '2400:cb00::/32', 'cloudflare'],
    [
      'cloudflareRanges v4',
      (all) => feeds.cloudflareRanges({ ...all, version: 4 }),
      sample('cloudflare-v4.txt'),
      15,
      '104.16.0.1',
      '104.16.0.0/13',
      'cloudflare-v4',
    ],
    [
      'cloudflareRanges v6',
      (all) => feeds.cloudflareRanges({ ...all, version: 6 }),
      sample('cloudflare-v6.txt'),
      7,
      '2a06:98c0::1',
      '2a06:98c0::/29',
      'cloudflare-v6',
    ],
    ['fastlyRanges', feeds.fastlyRanges, sample('fastly.json'), 21, '151.101.1.1', '151.101.0.0/16', 'fastly'],
    ['github', feeds.github, META, 2, '192.30.252.1', '192.30.252.0/22', 'github'],
    [
      'github, more keys',
      (all) => feeds.github({ ...all, keys: ['hooks', 'web', 'domains', 'ssh_keys'] }),
      META,
      3,
      '140.82.112.1',
      '140.82.112.0/20',
      'github',
    ],
    ['googlebot', feeds.googlebot, sample('googlebot.json'), 40, google.ip, google.cidr, 'googlebot'],
    [
      'googleCrawlers',
      feeds.googleCrawlers,
      sample('googlebot.json'),
      40,
      google.ip,
      google.cidr,
      'google-common-crawlers',
    ],
    [
      'special crawlers',
      (all) => feeds.googleCrawlers({ ...all, which: 'special-crawlers' }),
      sample('special-crawlers.json'),
      40,
      '209.85.238.1',
      '209.85.238.0/27',
      'google-special-crawlers',
    ],
    [
      'fetchers',
      (all) => feeds.googleCrawlers({ ...all, which: 'user-triggered-fetchers' }),
      sample('user-triggered-fetchers.json'),
      40,
      '107.178.194.1',
      '107.178.194.0/27',
      'google-user-triggered-fetchers',
    ],
    ['bingbot', feeds.bingbot, BOTS, 2, '157.55.39.9', '157.55.39.0/24', 'bingbot'],
    ['duckduckbot', feeds.duckduckbot, BOTS, 2, '157.55.39.9', '157.55.39.0/24', 'duckduckbot'],
    [
      'openaiCrawlers',
      (all) => feeds.openaiCrawlers({ ...all, which: 'searchbot' }),
      BOTS,
      2,
      '157.55.39.9',
      '157.55.39.0/24',
      'openai-searchbot',
    ],
    ['perplexitybot', feeds.perplexitybot, BOTS, 2, '2620:1ec::1', '2620:1ec::/36', 'perplexitybot'],
  ])('%s', async (_, make, text, size, ip, cidr, label) => {
    const feed = await read(make, text)
    expect(feed.current?.size).toBe(size)
    expect(feed.current?.lookup(ip)).toEqual({ cidr, label })
    expect(feed.status()).toMatchObject({ bad: { count: 0 }, special: 0, entries: size })
    await feed.close()
  })

  test('the sets hold what the files name and nothing else', async () => {
    const lines = (name: string): string[] => sample(name).match(/^[\da-f.:]+(\/\d+)?(?=[\s]|$)/gm) ?? []
    for (const [make, name] of [
      [feeds.firehol, 'firehol-level1.netset'],
      [feeds.torExits, 'tor-exits.txt'],
      [(all: PresetOptions) => feeds.ipsum({ ...all, threshold: 1 }), 'ipsum.txt'],
    ] as const) {
      const set = (await read(make, sample(name))).current
      const plain = ipSet(lines(name))
      expect(set?.size).toBe(plain.size)
      expect(lines(name).every((line) => set?.has(line.replace(/\/.*/, '')))).toBe(true)
    }
  })
})

test('Spamhaus in text: labelled by the comment, dated, and whole only with its end', async () => {
  const format = { type: 'text', label: 'comment', end: '; EOF', date: '; Last-Modified:' } as const
  const text = sample('spamhaus-drop.txt')
  const make = (body: string): Feed =>
    feeds.feed({ name: 'drop', source: () => [body], format, clock: handClock(), onWarning: () => undefined })
  const whole = make(text)
  await whole.ready()
  expect(whole.current?.size).toBe(57)
  expect(whole.current?.lookup('1.19.0.1')).toEqual({ cidr: '1.19.0.0/16', label: 'drop SBL434604' })
  expect(whole.status().sourceDate).toBe(Date.UTC(2026, 7, 20, 12, 53, 45))
  await expect(make(text.replace('; EOF', '')).ready()).rejects.toMatchObject({ reason: 'truncated' })
  const six = make(sample('spamhaus-dropv6.txt'))
  await six.ready()
  expect(six.current?.size).toBe(91)
})

describe('truncated lists are refused', () => {
  test.each<readonly [string, Make, string]>([
    [
      'Spamhaus NDJSON without its last record',
      feeds.spamhausDrop,
      sample('spamhaus-drop-v4.ndjson').split('\n').slice(0, 40).join('\n'),
    ],
    [
      'Spamhaus NDJSON with fewer records than it says',
      feeds.spamhausDrop,
      sample('spamhaus-drop-v4.ndjson').split('\n').slice(10).join('\n'),
    ],
    ['Feodo without its end', feeds.feodo, sample('feodo.csv').replace(/# END.*/, '')],
    ['Feodo with fewer entries than it says', feeds.feodo, sample('feodo.csv').replace(/^"2024-04-04.*\n/m, '')],
  ])('%s', async (_, make, text) => {
    await expect(read(make, text)).rejects.toMatchObject({ code: 'IPGUARD_FEED_REFUSED', reason: 'truncated' })
  })

  test.each<readonly [string, Make, string]>([
    ['AWS', feeds.aws, sample('aws.json')],
    ['Google', feeds.googlebot, sample('googlebot.json')],
    ['Fastly', feeds.fastlyRanges, sample('fastly.json')],
  ])('%s: JSON cut anywhere', async (_, make, text) => {
    for (const share of [0.1, 0.5, 0.99]) {
      const cut = text.slice(0, Math.floor(text.length * share))
      await expect(read(make, cut)).rejects.toMatchObject({ reason: 'unreadable' })
    }
  })

  test('an honestly empty Feodo is taken, a file of nothing is not', async () => {
    const head = sample('feodo.csv').split('\n').slice(0, 9).join('\n')
    const feed = await read(feeds.feodo, `${head}\n# END 0 entries\n`)
    expect(feed.current?.size).toBe(0)
    await expect(read(feeds.feodo, '')).rejects.toMatchObject({ reason: 'truncated' })
  })
})

describe('options', () => {
  const urlOf = async (make: (options: PresetOptions) => Feed): Promise<string> => {
    let asked = ''
    const fetch: FeedOptions['fetch'] = async (url) => {
      asked = url as string
      return new Response('no', { status: 404 })
    }
    const feed = make({ fetch, clock: handClock(), onWarning: () => undefined })
    await feed.refresh()
    await feed.close()
    return asked
  }

  test.each<readonly [string, Make]>([
    ['https://www.spamhaus.org/drop/drop_v4.json', feeds.spamhausDrop],
    ['https://www.spamhaus.org/drop/drop_v6.json', (all) => feeds.spamhausDrop({ ...all, version: 6 })],
    ['https://iplists.firehol.org/files/firehol_level3.netset', (all) => feeds.firehol({ ...all, level: 3 })],
    ['https://feodotracker.abuse.ch/downloads/ipblocklist.csv', feeds.feodo],
    ['https://lists.blocklist.de/lists/apache.txt', (all) => feeds.blocklistDe({ ...all, list: 'apache' })],
    [
      'https://raw.githubusercontent.com/X4BNet/lists_vpn/main/output/vpn/ipv6.txt',
      (all) => feeds.x4bnet({ ...all, list: 'vpn', version: 6 }),
    ],
    ['https://ip-ranges.amazonaws.com/ip-ranges.json', feeds.aws],
    ['https://www.cloudflare.com/ips-v4', (all) => feeds.cloudflareRanges({ ...all, version: 4 })],
    ['https://api.cloudflare.com/client/v4/ips', feeds.cloudflareRanges],
    [
      'https://developers.google.com/static/crawling/ipranges/special-crawlers.json',
      (all) => feeds.googleCrawlers({ ...all, which: 'special-crawlers' }),
    ],
    ['https://mirror.example/tor', (all) => feeds.torExits({ ...all, url: 'https://mirror.example/tor' })],
  ])('%s', async (url, make) => {
    expect(await urlOf(make)).toBe(url)
  })

  test.each<readonly [string, () => unknown, string]>([
    ['Spamhaus more than hourly', () => feeds.spamhausDrop({ refresh: '59m' }), 'spamhausDrop.refresh is "59m"'],
    ['FireHOL more than hourly', () => feeds.firehol({ refresh: '10m' }), 'firehol.refresh'],
    [
      'Spamhaus by a lower interval',
      () => feeds.spamhausDrop({ refresh: '30m', minInterval: '1m' }),
      'spamhausDrop.refresh',
    ],
    ['a version', () => feeds.spamhausDrop({ version: 5 as 4 }), 'spamhausDrop.version is 5. Write 4 or 6'],
    ['a level', () => feeds.firehol({ level: 5 as 4 }), 'firehol.level'],
    ['a threshold', () => feeds.ipsum({ threshold: 0 }), 'ipsum.threshold'],
    ['a list that is a path', () => feeds.blocklistDe({ list: '../x' }), 'blocklistDe.list'],
    ['no list', () => feeds.x4bnet({} as { list: 'vpn' }), 'x4bnet.list'],
    ['no options', () => feeds.x4bnet(undefined as never), 'x4bnet'],
    ['services as text', () => feeds.aws({ services: 'EC2' as never }), 'aws.services'],
    ['Azure from nowhere', () => feeds.azure({}), 'azure.url is undefined. Write exactly one of url, file and source'],
    [
      'an unknown option',
      () => feeds.firehol({ leval: 1 } as object),
      'firehol has no option "leval". Did you mean "level"?',
    ],
    ['a format', () => feeds.cins({ format: 'text' } as object), 'cins has no option "format"'],
    ['plain http', () => feeds.cins({ url: 'http://mirror.example/x' }), 'cins.url'],
  ])('%s: an error at creation', (_, make, message) => {
    let thrown: unknown
    try {
      make()
    } catch (error) {
      thrown = error
    }
    expect((thrown as IpGuardError | undefined)?.code).toMatch(/^IPGUARD_OPTION_/)
    expect(String(thrown)).toContain(message)
  })

  test('the vendor is not asked more often than it lets itself be, also by hand; a mirror of one’s own is', async () => {
    let asked = 0
    const fetch: FeedOptions['fetch'] = async () => {
      asked++
      return new Response(sample('spamhaus-drop-v4.ndjson'))
    }
    const clock = handClock()
    const theirs = feeds.spamhausDrop({ fetch, clock, onWarning: () => undefined })
    expect(await theirs.refresh()).toMatchObject({ type: 'loaded', entries: 40 })
    expect(await theirs.refresh()).toEqual({
      type: 'skipped',
      feed: 'spamhaus-drop-v4',
      until: clock.now() + 3_600_000,
    })
    expect(asked).toBe(1)
    clock.advance(3_600_000)
    expect(await theirs.refresh()).toMatchObject({ type: 'unchanged' })
    const ours = feeds.spamhausDrop({
      fetch,
      clock,
      url: 'https://mirror.example/x',
      refresh: '1m',
      onWarning: () => undefined,
    })
    await ours.refresh()
    expect(await ours.refresh()).toMatchObject({ type: 'unchanged' })
    await Promise.all([theirs.close(), ours.close()])
  })
})
