import { after } from '../clock.ts'
import { type Address, formatAddress } from '../ip/address.ts'
import { classifyAddress } from '../ip/special.ts'
import type { ExceptionContext, ExceptionRule } from '../policy/exception.ts'
import { confirmCrawler } from './confirm-crawler.ts'
import { createCrawlerBook } from './crawler-book.ts'
import { readCrawlerOptions, type VerifiedCrawlersOptions } from './crawler-options.ts'
import { createLookupQueue } from './lookup-queue.ts'
import { type CrawlerDns, systemDns } from './system-dns.ts'

/** How many addresses stand how; those in ranges are not counted. */
export interface CrawlerStatus {
  readonly verified: number
  /** Being looked up. */
  readonly pending: number
  /** No crawler's. */
  readonly unverified: number
  /** Could not be told. */
  readonly failed: number
  /** Claims that were not looked up, as there were too many. */
  readonly dropped: number
}

/** An exception for `except`, with what it knows. */
export interface VerifiedCrawlers extends ExceptionRule {
  /** True when the address is verified now, or in the ranges. */
  knows(address: Address): boolean
  /** How many are verified, and how the look-ups go. */
  status(): CrawlerStatus
}

const NAME = 'verified-crawlers'
/** A longer User-Agent is not read to its end. */
const LONGEST_AGENT = 512

/**
 * For `except`: spares the crawlers of search engines, known by published ranges or by forward-confirmed reverse DNS; never by the User-Agent.
 *
 * The User-Agent only decides whether a look-up is worth it. Who claims to be a crawler is spared while the look-up runs in the background,
 * at most `timeout`; then only if it came true. An address that could not be told is not spared, and is asked about again after `ttl.error`;
 * one that was verified stays so for 7 days while look-ups fail. The policy that is given the rule spares these addresses, and no other one
 * does: bans, denied entries and further policies hold. Private and special addresses are looked up by nobody.
 *
 * Without a resolver (some edge runtimes) and without `ranges` it spares nobody, and warns `IPGUARD_DNS_MISSING`.
 *
 * @example
 * deny(['198.51.100.0/24'], { except: [verifiedCrawlers()] })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`, `IPGUARD_CIDR_INVALID`
 */
export function verifiedCrawlers(options: VerifiedCrawlersOptions = {}): VerifiedCrawlers {
  const { crawlers, ranges, timeout, times, maxAddresses } = readCrawlerOptions(options)
  const { clock, onVerified, servers } = options
  const book = createCrawlerBook(times, maxAddresses)
  const queue = createLookupQueue<string | undefined>({
    timeout,
    after: clock ? (ms, call) => clock.after(ms, call) : after,
  })
  /** One pattern of all words: 0.2 us for a browser's User-Agent, 0.6 with a search for each word. */
  const words = crawlers.flatMap(({ agents }) => agents).map((word) => word.replace(/[^a-z0-9 ]/g, '\\$&'))
  const claims = words.length > 0 ? new RegExp(words.join('|'), 'i') : undefined
  let dns: CrawlerDns | undefined = options.dns
  /** The latest time that a request has brought: the rule belongs to several guards, and to the clock of none. */
  let time = 0
  let dropped = 0

  const inRanges = (address: Address): boolean => ranges.some((list) => list.current?.hasAddress(address))

  function claimed({ headers }: ExceptionContext['request']): string | undefined {
    const agent = headers.get('user-agent')?.slice(0, LONGEST_AGENT)
    const word = agent ? claims?.exec(agent)?.[0].toLowerCase() : undefined
    return word && crawlers.find(({ agents }) => agents.includes(word))?.name
  }

  /** Starts a look-up; with `dry` it says whether one would be. `unable`: it cannot be told now whose the address is. */
  function lookUp(context: ExceptionContext, address: Address, crawler: string): 'pending' | 'refused' | 'unable' {
    const { dry, key, now } = context
    // Its own text: the client's may be a part of a long header, which would be kept with it.
    const ip = formatAddress(address)
    const doubt = book.doubt(ip, key.text, now)
    if (doubt) return doubt === 'failed' ? 'unable' : 'refused'
    if (classifyAddress(address) !== undefined) return 'refused'
    dns ??= systemDns(servers, timeout)
    if (!dns) {
      if (!dry && ranges.length === 0) context.warn(DNS_MISSING)
      return 'unable'
    }
    if (!queue.hasRoom(key.text)) {
      if (!dry) {
        dropped++
        context.warn(DROPPED)
      }
      return 'unable'
    }
    if (dry) return 'pending'
    const resolver = dns
    const done = queue.add(
      ip,
      key.text,
      (signal) => confirmCrawler(address, crawlers, resolver, signal),
      (end) => {
        if ('failed' in end) return book.fail(ip, key.text, time)
        if (end.value === undefined) book.refute(ip, key.text, time)
        else book.confirm(ip, key.text, end.value, time)
        try {
          onVerified?.({ ip, crawler: end.value ?? crawler, verified: end.value !== undefined })
        } catch {
          context.warn(LISTENER_FAILED)
        }
      },
    )
    context.waitUntil?.(done)
    return 'pending'
  }

  return {
    name: NAME,
    spares(context) {
      const { address, allowable, client, now, request } = context
      // As on an allow list: an address that is not certain proves nothing.
      if (!address || !client || !allowable) return false
      if (inRanges(address)) return true
      time = Math.max(time, now)
      const known = book.verified(client.ip, now)
      if (known) {
        if (known.due && !context.dry && !queue.has(client.ip)) lookUp(context, address, known.crawler)
        return true
      }
      if (!queue.has(client.ip)) {
        const crawler = claimed(request)
        const found = crawler === undefined ? 'refused' : lookUp(context, address, crawler)
        if (found === 'unable' || (found === 'refused' && ranges.some((list) => !list.current))) context.degrade(NAME)
        if (found !== 'pending') return false
      }
      if (!context.dry) context.pend(NAME)
      return true
    },
    knows: (address) => inRanges(address) || book.verified(formatAddress(address), time) !== undefined,
    status: () => ({ ...book.counts(), pending: queue.size, dropped }),
  }
}

const DNS_MISSING = {
  code: 'IPGUARD_DNS_MISSING',
  message:
    'verifiedCrawlers finds no resolver in this runtime, and so spares nobody. Write ranges: { googlebot: list }, or dns: { reverse, addresses }.',
} as const

const DROPPED = {
  code: 'IPGUARD_LOOKUPS_DROPPED',
  message:
    'verifiedCrawlers did not look up an address that claims to be a crawler, as too many do. Write ranges: { googlebot: list }, which need no look-up.',
} as const

const LISTENER_FAILED = { code: 'IPGUARD_LISTENER_FAILED', message: 'verifiedCrawlers.onVerified threw.' } as const
