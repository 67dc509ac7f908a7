import { type Address, formatAddress, parseAddress } from '../ip/address.ts'
import { hostName, isUnder, type Suffix } from './host-name.ts'
import type { CrawlerDns } from './system-dns.ts'

/** A crawler with its suffixes read. */
export interface KnownCrawler {
  readonly name: string
  readonly agents: readonly string[]
  readonly suffixes: readonly Suffix[]
}

/** Who controls a reverse zone writes into it what he likes: of more than this nothing is read. */
const MOST_NAMES = 10
const MOST_ADDRESSES = 50

/**
 * The crawler that an address belongs to, by forward-confirmed reverse DNS: one of its names ends with a suffix of the crawler, and that
 * name has this address. Undefined: it belongs to none of them.
 *
 * @throws when it could not be told: whatever `dns` rejects with.
 */
export async function confirmCrawler(
  address: Address,
  crawlers: readonly KnownCrawler[],
  dns: CrawlerDns,
  signal: AbortSignal,
): Promise<string | undefined> {
  const ip = formatAddress(address)
  const asked = new Set<string>()
  let failure: { readonly error: unknown } | undefined
  for (const name of listed(await dns.reverse(ip, signal)).slice(0, MOST_NAMES)) {
    const host = hostName(name)
    const crawler = host && crawlers.find(({ suffixes }) => suffixes.some((suffix) => isUnder(host, suffix)))
    if (!crawler || asked.has(host)) continue
    asked.add(host)
    signal.throwIfAborted()
    try {
      const answers = listed(await dns.addresses(host, address.family, signal)).slice(0, MOST_ADDRESSES)
      if (answers.some((text) => isAddress(text, ip))) return crawler.name
    } catch (error) {
      failure = { error }
    }
  }
  if (failure) throw failure.error
  return undefined
}

function isAddress(text: unknown, ip: string): boolean {
  const address = parseAddress(text as string) // anything else is no address
  return address !== undefined && formatAddress(address) === ip
}

/** An application's own resolver may answer anything. */
function listed(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw new TypeError('The resolver answered no list.')
  return answer
}
