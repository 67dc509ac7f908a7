import { type Duration, parseDuration } from '../duration.ts'
import { parseAddress } from '../ip/address.ts'
import { checkOneOf, checkOptions, checkWhole, invalidOption } from '../options.ts'
import { compileList, type ListSource, type LiveList } from '../policy/list-source.ts'
import type { KnownCrawler } from './confirm-crawler.ts'
import type { CrawlerTimes } from './crawler-book.ts'
import { CRAWLERS, type Crawler, type CrawlerName } from './crawlers.ts'
import { parseSuffix } from './host-name.ts'
import type { CrawlerDns } from './system-dns.ts'

/** A look-up has told whether an address is a crawler's. */
export interface CrawlerEvent {
  readonly ip: string
  /** Whose it is; when it is nobody's, whose it was said to be. */
  readonly crawler: string
  readonly verified: boolean
}

/** Which crawlers are verified, and how: by ranges, by reverse DNS, or both. */
export interface VerifiedCrawlersOptions {
  /** Whose names are trusted; `[]`: only `ranges` and `custom` count. @default all: google, bing, apple, yandex, baidu */
  readonly crawlers?: readonly CrawlerName[]
  /** Further crawlers: what their User-Agent contains, and domains in which only their operator names hosts. @default none */
  readonly custom?: readonly Crawler[]
  /** Published ranges by any name, best as live lists: their addresses need no look-up. @default none */
  readonly ranges?: Readonly<Record<string, ListSource>>
  /** Looks names up. @default the resolver of Node, Bun or Deno */
  readonly dns?: CrawlerDns
  /** Name servers to ask, like `'192.0.2.53'` or `'192.0.2.53:5353'`. @default those of the system */
  readonly servers?: readonly string[]
  /** How long one look-up may take; for so long an address is spared on its word. @default '2s' */
  readonly timeout?: Duration
  /** How long the result holds; failures in a row double theirs, up to `unverified`. @default verified '24h', unverified '1h', error '60s' */
  readonly ttl?: { readonly verified?: Duration; readonly unverified?: Duration; readonly error?: Duration }
  /** How many verified addresses are remembered, and how many others. @default 10000 */
  readonly maxAddresses?: number
  /** Called when a look-up has told. Must not block; a throw becomes a warning. */
  readonly onVerified?: (event: CrawlerEvent) => void
  /** Calls once after that many ms; answers the function that cancels. @default setTimeout */
  readonly clock?: { after(ms: number, call: () => void): () => void }
}

export interface ReadCrawlerOptions {
  readonly crawlers: readonly KnownCrawler[]
  readonly ranges: readonly LiveList[]
  readonly timeout: number
  readonly times: CrawlerTimes
  readonly maxAddresses: number
}

const OPTIONS = [
  'crawlers',
  'custom',
  'ranges',
  'dns',
  'servers',
  'timeout',
  'ttl',
  'maxAddresses',
  'onVerified',
  'clock',
] as const
const OWNER = 'verifiedCrawlers'

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`, `IPGUARD_CIDR_INVALID` */
export function readCrawlerOptions(options: VerifiedCrawlersOptions): ReadCrawlerOptions {
  checkOptions(options, OPTIONS, OWNER)
  const { ranges = {}, ttl = {}, maxAddresses = 10_000 } = options
  checkParts(options)
  checkOptions(ttl, ['verified', 'unverified', 'error'], `${OWNER}.ttl`)
  if (typeof ranges !== 'object' || ranges === null || Array.isArray(ranges) || 'current' in ranges)
    throw invalidOption(`${OWNER}.ranges`, ranges, 'lists by name: { googlebot: list }')
  checkWhole(`${OWNER}.maxAddresses`, maxAddresses, 1)
  return {
    crawlers: readCrawlers(options),
    ranges: Object.entries(ranges).map(([name, list]) => compileList(list, `${OWNER}.ranges.${name}`)),
    timeout: parseDuration(options.timeout ?? '2s', `${OWNER}.timeout`),
    times: {
      verified: parseDuration(ttl.verified ?? '24h', `${OWNER}.ttl.verified`),
      unverified: parseDuration(ttl.unverified ?? '1h', `${OWNER}.ttl.unverified`),
      error: parseDuration(ttl.error ?? '60s', `${OWNER}.ttl.error`),
    },
    maxAddresses,
  }
}

function checkParts({ dns, servers, onVerified, clock }: VerifiedCrawlersOptions): void {
  const has = (object: unknown, ...methods: readonly string[]): boolean =>
    typeof object === 'object' &&
    object !== null &&
    methods.every((name) => typeof Reflect.get(object, name) === 'function')
  if (dns !== undefined && !has(dns, 'reverse', 'addresses'))
    throw invalidOption(`${OWNER}.dns`, dns, 'an object with reverse(), addresses()')
  if (clock !== undefined && !has(clock, 'after'))
    throw invalidOption(`${OWNER}.clock`, clock, 'an object with after()')
  if (onVerified !== undefined && typeof onVerified !== 'function')
    throw invalidOption(`${OWNER}.onVerified`, onVerified, 'a function')
  if (servers === undefined) return
  if (dns !== undefined) throw invalidOption(`${OWNER}.servers`, servers, 'it without dns, which knows whom to ask')
  checkEach(
    `${OWNER}.servers`,
    servers,
    isServer,
    "addresses, with a port if wanted: ['192.0.2.53', '192.0.2.54:5353']",
  )
}

function readCrawlers({
  crawlers = Object.keys(CRAWLERS) as CrawlerName[],
  custom = [],
}: VerifiedCrawlersOptions): KnownCrawler[] {
  for (const [option, value] of [
    ['crawlers', crawlers],
    ['custom', custom],
  ] as const) {
    if (!Array.isArray(value)) throw invalidOption(`${OWNER}.${option}`, value, 'an array')
  }
  for (const [i, name] of crawlers.entries()) checkOneOf(`${OWNER}.crawlers[${i}]`, name, Object.keys(CRAWLERS))
  const own = custom.map((crawler, i) => readCustom(crawler, `${OWNER}.custom[${i}]`))
  return [...crawlers.map((name) => known({ name, ...CRAWLERS[name] })), ...own]
}

function readCustom(crawler: Crawler, option: string): KnownCrawler {
  checkOptions(crawler, ['name', 'agents', 'suffixes'], option)
  const { name, agents, suffixes } = crawler
  if (!isText(name)) throw invalidOption(`${option}.name`, name, 'a text of 1 to 64 printable characters')
  checkEach(`${option}.agents`, agents, isAgent, "parts of its User-Agent of 4 to 64 ASCII characters: ['minebot']")
  checkEach(
    `${option}.suffixes`,
    suffixes,
    parseSuffix,
    "domains of its operator: ['crawl.example.com', 'crawl-*.example.com']",
  )
  return known({ name, agents: agents.map((text) => text.toLowerCase()), suffixes })
}

/** Names the list, or the first in it that is not right. */
function checkEach(option: string, values: unknown, test: (value: unknown) => unknown, expected: string): void {
  if (!Array.isArray(values) || values.length === 0) throw invalidOption(option, values, expected)
  const wrong = values.findIndex((value) => !test(value))
  if (wrong >= 0) throw invalidOption(`${option}[${wrong}]`, values[wrong], expected)
}

function known({ name, agents, suffixes }: Crawler): KnownCrawler {
  return { name, agents, suffixes: suffixes.flatMap((text) => parseSuffix(text) ?? []) }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 64 && !/[\p{Cc}\p{Cf}]/u.test(value)
}

function isAgent(value: unknown): boolean {
  return typeof value === 'string' && /^[ -~]{4,64}$/.test(value)
}

function isServer(text: unknown): boolean {
  if (typeof text !== 'string') return false
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const ip = bracketed ?? plain ?? text
  return parseAddress(ip) !== undefined && (port === undefined || (Number(port) > 0 && Number(port) < 65_536))
}
