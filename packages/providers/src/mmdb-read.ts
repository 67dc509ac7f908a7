import { type Category, IpGuardError, type Verdict } from '@ipguard/core'
import { flagScore } from './flag-score.ts'
import type { CompiledListing } from './listing.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, number } from './read-json.ts'
import { oneLine } from './verdict-of.ts'

/** A verdict from a record; undefined when it says nothing bad. */
export type ReadRecord = (record: Fields) => Verdict | undefined

interface Readings {
  readonly scores: Partial<Record<Category, number>> | undefined
  readonly asns: ReadonlyMap<number, CompiledListing> | undefined
}

/**
 * How records of a known database are read.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when the type is not known, or needs `asns`: the file is not the one that was meant.
 */
export function readingOf(type: string, { scores, asns }: Readings): ReadRecord {
  if (/Anonymous-(IP|Plus)/.test(type)) return (record) => readAnonymous(record, scores)
  if (/-(ASN|ISP)/.test(type)) {
    if (asns) return (record) => readNetwork(record, asns)
    throw new IpGuardError(
      'IPGUARD_PROVIDER_ANSWER',
      `${type} says whose an address is, and not what to think of it. Write which networks are bad: asns: { 64500: 40 }.`,
    )
  }
  throw new IpGuardError(
    'IPGUARD_PROVIDER_ANSWER',
    `The database is of type "${oneLine(type) ?? ''}", which is read with a function of yours: read: (record) => ({ score: 50 }).`,
  )
}

const FLAGS: Readonly<Record<string, Category>> = {
  is_anonymous_vpn: 'vpn',
  is_public_proxy: 'proxy',
  is_residential_proxy: 'residential-proxy',
  is_tor_exit_node: 'tor',
  is_hosting_provider: 'hosting',
}

/** Flags are there only when true, so a record without any says nothing. */
function readAnonymous(record: Fields, scores: Readings['scores']): Verdict | undefined {
  const flags = readFlags(record, FLAGS) ?? []
  // Anonymous in a way that it does not name.
  const categories: readonly Category[] = flags.length === 0 && flag(record.is_anonymous) ? ['proxy'] : flags
  if (categories.length === 0) return undefined
  const confidence = number(record.anonymizer_confidence)
  const detail = [oneLine(record.provider_name), oneLine(record.network_last_seen)].filter((each) => each !== undefined)
  return {
    score: flagScore(categories, scores),
    categories,
    ...(confidence !== undefined && { confidence: Math.min(1, Math.max(0, confidence / 100)) }),
    ...(detail.length > 0 && { detail: detail.join(', last seen ') }),
  }
}

function readNetwork(record: Fields, asns: ReadonlyMap<number, CompiledListing>): Verdict | undefined {
  const asn = number(record.autonomous_system_number)
  const listing = asn === undefined ? undefined : asns.get(asn)
  if (!listing || listing.score === 0) return undefined
  const name = listing.label ?? oneLine(record.autonomous_system_organization)
  return {
    score: listing.score,
    ...(listing.categories.length > 0 && { categories: listing.categories }),
    detail: `AS${asn}${name === undefined ? '' : ` ${name}`}`,
  }
}
