import { invalidOption } from '@ipguard/core'
import type { Feed } from '../feed.ts'
import { oneOf, type PresetOptions, preset } from './preset.ts'

/** The options of `spamhausDrop`. */
export interface SpamhausDropOptions extends PresetOptions {
  /** @default 4 */
  readonly version?: 4 | 6
}

/**
 * Spamhaus DROP: networks that are leased or stolen by professional spammers and criminals. Hardly any false positives; about 1,700 blocks.
 *
 * NDJSON, labelled with the SBL record. Refreshed once a day; asked more than once an hour, Spamhaus shuts a client out, so a shorter refresh
 * is an error. Free, in products too, with credit: (c) The Spamhaus Project; keep the date and the copyright text when you pass it on.
 *
 * @example
 * createGuard({ policies: [deny(spamhausDrop()), deny(spamhausDrop({ version: 6 }))] })
 * @throws {IpGuardError} as `feed`
 */
export function spamhausDrop(options: SpamhausDropOptions = {}): Feed {
  const version = oneOf(options.version ?? 4, [4, 6], 'spamhausDrop.version')
  return preset({
    factory: 'spamhausDrop',
    options,
    own: ['version'],
    least: '1h',
    defaults: {
      name: `spamhaus-drop-v${version}`,
      url: `https://www.spamhaus.org/drop/drop_v${version}.json`,
      refresh: '1d',
      format: {
        type: 'ndjson',
        field: '/cidr',
        label: '/sblid',
        metadata: { field: '/type', value: 'metadata', records: '/records', date: '/timestamp' },
      },
    },
  })
}

/** The options of `firehol`. */
export interface FireholOptions extends PresetOptions {
  /** Each level holds more, and more false positives. @default 1 */
  readonly level?: 1 | 2 | 3 | 4
}

/**
 * FireHOL's collected lists. Level 1 is meant to have no false positives; the higher ones do.
 *
 * Netset text. Refreshed hourly, which is as often as it may be. Level 1 holds the full bogons, private ranges among them; as in every feed they are
 * taken out. The licence of each list in it applies.
 *
 * @throws {IpGuardError} as `feed`
 */
export function firehol(options: FireholOptions = {}): Feed {
  const level = oneOf(options.level ?? 1, [1, 2, 3, 4], 'firehol.level')
  return preset({
    factory: 'firehol',
    options,
    own: ['level'],
    least: '1h',
    defaults: {
      name: `firehol-level${level}`,
      url: `https://iplists.firehol.org/files/firehol_level${level}.netset`,
      refresh: '1h',
      format: { type: 'text', date: '# This File Date  :' },
    },
  })
}

/** The options of `ipsum`. */
export interface IpsumOptions extends PresetOptions {
  /** On how many lists an address must be. @default 3 */
  readonly threshold?: number
}

/**
 * IPsum: addresses with the number of public lists that name them, which is their label here.
 *
 * Text, refreshed daily as it is made; about 120,000 lines before the threshold. Unlicense.
 *
 * @throws {IpGuardError} as `feed`
 */
export function ipsum(options: IpsumOptions = {}): Feed {
  const { threshold = 3 } = options
  if (!Number.isInteger(threshold) || threshold < 1) {
    throw invalidOption('ipsum.threshold', threshold, 'a whole number from 1')
  }
  return preset({
    factory: 'ipsum',
    options,
    own: ['threshold'],
    defaults: {
      name: 'ipsum',
      url: 'https://raw.githubusercontent.com/stamparm/ipsum/master/ipsum.txt',
      refresh: '1d',
      format: { type: 'text', threshold: { column: 1, atLeast: threshold }, label: 1, date: '# Last update:' },
    },
  })
}

/**
 * abuse.ch Feodo Tracker: control servers of botnets. They are attacked machines' masters, and seldom visit a web site themselves.
 *
 * CSV, labelled with the malware; its last line counts the entries. Refreshed hourly (made every 5 minutes). It may honestly be empty, and
 * grow and shrink by any share. The terms stand in the file's banner.
 *
 * @throws {IpGuardError} as `feed`
 */
export function feodo(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'feodo',
    options,
    least: '5m',
    defaults: {
      name: 'feodo',
      url: 'https://feodotracker.abuse.ch/downloads/ipblocklist.csv',
      refresh: '1h',
      allowEmpty: true,
      maxShrink: 1,
      maxGrowth: Number.POSITIVE_INFINITY,
      format: { type: 'csv', column: 'dst_ip', label: 'malware', end: '# END {n} entries', date: '# Last updated:' },
    },
  })
}

/** The options of `blocklistDe`. */
export interface BlocklistDeOptions extends PresetOptions {
  /** The service that was attacked: 'all', 'ssh', 'mail', 'apache', 'imap', 'ftp', 'sip', 'bots', 'strongips', 'bruteforcelogin'. @default 'all' */
  readonly list?: string
}

/**
 * blocklist.de: addresses that attacked its reporters' servers in the last 48 hours, IPv4 and IPv6.
 *
 * Text, refreshed hourly, at most twice an hour. Free of charge.
 *
 * @throws {IpGuardError} as `feed`
 */
export function blocklistDe(options: BlocklistDeOptions = {}): Feed {
  const { list = 'all' } = options
  if (typeof list !== 'string' || !/^[a-z\d]{1,32}$/.test(list)) {
    throw invalidOption('blocklistDe.list', list, "the name of one of its lists, like 'all' or 'apache'")
  }
  return preset({
    factory: 'blocklistDe',
    options,
    own: ['list'],
    least: '30m',
    defaults: { name: `blocklist-de-${list}`, url: `https://lists.blocklist.de/lists/${list}.txt`, refresh: '1h' },
  })
}

/**
 * Emerging Threats: compromised hosts, IPv4; some hundred.
 *
 * Text, refreshed daily. Under the terms of the ET open rules (Proofpoint).
 *
 * @throws {IpGuardError} as `feed`
 */
export function etCompromised(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'etCompromised',
    options,
    least: '1h',
    defaults: {
      name: 'et-compromised',
      url: 'https://rules.emergingthreats.net/blockrules/compromised-ips.txt',
      refresh: '1d',
    },
  })
}

/**
 * CINS Army (Sentinel): addresses with a bad score and no other explanation, IPv4; about 15,000.
 *
 * Text, refreshed hourly. Free of charge.
 *
 * @throws {IpGuardError} as `feed`
 */
export function cins(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'cins',
    options,
    least: '1h',
    defaults: { name: 'cins', url: 'https://cinsscore.com/list/ci-badguys.txt', refresh: '1h' },
  })
}

/**
 * The IPWhois blacklist as a whole: addresses reported with a confidence of 50 and more in the last 90 days, IPv4.
 *
 * Text, refreshed every 30 minutes as it is made. Free with attribution to ipwhois.net.
 *
 * @throws {IpGuardError} as `feed`
 */
export function ipwhoisFeed(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'ipwhoisFeed',
    options,
    least: '10m',
    defaults: {
      name: 'ipwhois-feed',
      url: 'https://bl.ipwhois.net/feed.txt',
      refresh: '30m',
      format: { type: 'text', date: '# Generated:' },
    },
  })
}
