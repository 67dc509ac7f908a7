import { IpGuardError, invalidOption, parseAddress, type Verdict } from '@ipguard/core'
import type { DnsRecord } from './dnsbl-resolver.ts'
import { type CompiledListing, compileListing, type Listing } from './listing.ts'

/** By answer, such as `'127.0.0.2'`; `'*'` for every other answer in 127.0.0.0/8. What has no code is no listing. */
export type DnsblCodes = Readonly<Record<string, Listing>>

/** What an answer means that is about the question and not about the address. */
export type DnsblErrors = Readonly<Record<string, 'refused' | 'quota' | 'failed'>>

/**
 * A verdict from all records of one answer; undefined when it is no listing.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_REFUSED`, `IPGUARD_PROVIDER_QUOTA`, `IPGUARD_PROVIDER_FAILED` when any record is no listing but a
 * fault.
 */
export type ReadRecords = (records: readonly DnsRecord[]) => Verdict | undefined

const MINUTE = 60_000
const HOUR = 3_600_000

/**
 * `longest`: how long a verdict is kept at most, in ms, whatever its record says.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`
 */
export function compileCodes(
  source: string,
  option: string,
  codes: DnsblCodes,
  errors: DnsblErrors = {},
  longest: number = HOUR,
): ReadRecords {
  const listings = new Map(
    Object.entries(codes).map(([answer, code]) => {
      checkAnswer(answer, `${option}.codes`)
      return [answer, compileListing(code, `${option}.codes["${answer}"]`)] as const
    }),
  )
  if (listings.size === 0) throw invalidOption(`${option}.codes`, 'empty', "at least one answer: { '127.0.0.2': 80 }")
  const faults = new Map(Object.entries(errors))
  for (const [answer, fault] of faults) {
    if (answer === '*') throw invalidOption(`${option}.errors`, answer, 'answers one by one')
    checkAnswer(answer, `${option}.errors`)
    if (!['refused', 'quota', 'failed'].includes(fault)) {
      throw invalidOption(`${option}.errors["${answer}"]`, fault, "'refused', 'quota' or 'failed'")
    }
  }
  return (records) => {
    const found: CompiledListing[] = []
    let ttl = Math.min(HOUR, longest)
    for (const { address, ttl: seconds } of records) {
      const fault = faults.get(address) ?? faultOf(address, listings)
      if (fault) throw faultError(source, address, fault)
      const listing = listings.get(address) ?? listings.get('*')
      if (!listing || listing.score === 0) continue
      found.push({ ...listing, label: listing.label ?? address })
      ttl = Math.min(ttl, Math.max(MINUTE, seconds * 1_000))
    }
    if (found.length === 0) return undefined
    const categories = [...new Set(found.flatMap((each) => each.categories))]
    return {
      score: Math.max(...found.map(({ score }) => score)),
      ...(categories.length > 0 && { categories }),
      detail: `${source}: ${[...new Set(found.map(({ label }) => label))].join(', ')}`,
      ttl,
    }
  }
}

function checkAnswer(answer: string, option: string): void {
  if (answer === '*' || (parseAddress(answer)?.family === 4 && answer.startsWith('127.'))) return
  throw invalidOption(option, answer, "answers in 127.0.0.0/8, or '*' for all others: { '127.0.0.2': 80 }")
}

/**
 * Answers that no list gives for an address: 127.255.255.0/24 is for faults of the question (Spamhaus, and others after it), 127.0.0.1 is
 * listed nowhere (RFC 5782) and what some answer to resolvers they do not serve, and outside 127.0.0.0/8 somebody else has answered, such as a
 * resolver that turns "no such name" into an advertisement.
 */
function faultOf(address: string, listings: ReadonlyMap<string, unknown>): DnsblErrors[string] | undefined {
  if (listings.has(address)) return undefined
  if (!address.startsWith('127.')) return 'failed'
  if (address === '127.255.255.255') return 'quota'
  return address === '127.0.0.1' || address.startsWith('127.255.255.') ? 'refused' : undefined
}

const CODES = {
  refused: 'IPGUARD_PROVIDER_REFUSED',
  quota: 'IPGUARD_PROVIDER_QUOTA',
  failed: 'IPGUARD_PROVIDER_FAILED',
} as const

const WORDS: Readonly<Record<string, string>> = {
  '127.255.255.252': 'there is a mistake in the name of the zone',
  '127.255.255.254':
    'the question came through a public resolver, or from an address without a reverse name: ask your own resolver',
  '127.255.255.255': 'too many questions',
}

function faultError(source: string, address: string, fault: DnsblErrors[string]): IpGuardError {
  const means =
    WORDS[address] ?? (address.startsWith('127.') ? 'a fault, no listing' : 'an address that no list answers with')
  const shown = parseAddress(address) ? address : 'something else than an address'
  return new IpGuardError(CODES[fault], `${source} answered ${shown}: ${means}.`)
}
