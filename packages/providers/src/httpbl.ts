import {
  type Category,
  checkOptions,
  IpGuardError,
  invalidOption,
  type Provider,
  parseAddress,
  type Verdict,
} from '@ipguard/core'
import { reverseName } from './dnsbl-name.ts'
import { checkDnsOptions, createDnsLookup, DNS_OPTIONS, type DnsOptions, type DnsRecord } from './dnsbl-resolver.ts'
import { type CommonOptions, checkCommonOptions } from './http-provider-options.ts'
import { settingsDigest } from './settings-digest.ts'

export type { DnsOptions, DnsRecord, DnsResolve } from './dnsbl-resolver.ts'

/** The options of `httpbl`. */
export interface HttpblOptions extends Omit<CommonOptions, 'timeout'>, DnsOptions {
  /** Your own access key: 12 lower-case letters. Appears in no error. */
  readonly key: string
  /** Only for a mirror of your own. @default 'dnsbl.httpbl.org' */
  readonly zone?: string
  /** What was last seen longer ago, in days, is no listing; 0 to 255. @default 30 */
  readonly maxAge?: number
  /** A threat score below it is no listing; 0 to 255. @default 0 */
  readonly minThreat?: number
}

const TTL = { verdict: '24h', unlisted: '24h' } as const

/** Type bits of the answer, and what each is worth at least, by this project. */
const TYPES: readonly (readonly [bit: number, name: string, score: number, category: Category])[] = [
  [1, 'suspicious', 30, 'abuse'],
  [2, 'harvester', 60, 'scanner'],
  [4, 'comment spammer', 70, 'spam'],
]

/**
 * http:BL of Project Honey Pot: addresses that harvested e-mail addresses or posted spam to honeypots. IPv4 only.
 *
 * The score is that of the kind of visitor (suspicious 30, harvester 60, comment spammer 70) or the list's threat score, whichever is higher; the
 * threat is logarithmic, and 100 is nearly never reached. A search engine is a `crawler` with score 0: that it is one is the list's word only.
 *
 * Free for active members; the key is personal, and sharing or faking one is forbidden. Commercial use by arrangement.
 *
 * @example
 * httpbl({ key: process.env.HTTPBL_KEY ?? '', maxAge: 14 })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`; a look-up rejects with
 * `IPGUARD_DNS_MISSING` where there is no `node:dns`
 */
export function httpbl(options: HttpblOptions): Provider {
  checkOptions(
    options,
    ['name', 'weight', 'ttl', 'quota', ...DNS_OPTIONS, 'key', 'zone', 'maxAge', 'minThreat'],
    'httpbl',
  )
  const { key, zone = 'dnsbl.httpbl.org', maxAge = 30, minThreat = 0 } = options
  const common = checkCommonOptions('httpbl', options, { timeout: '3s', ttl: TTL })
  checkDnsOptions(options, 'httpbl')
  if (typeof key !== 'string' || !/^[a-z]{12}$/.test(key)) {
    throw invalidOption('httpbl.key', typeof key, 'your access key, 12 lower-case letters')
  }
  if (typeof zone !== 'string' || !/^[\w-]+(\.[\w-]+)*$/.test(zone) || zone.length > 200) {
    throw invalidOption('httpbl.zone', zone, "the name of a DNS zone, or leave it out: 'dnsbl.httpbl.org'")
  }
  for (const [name, value] of Object.entries({ maxAge, minThreat })) {
    if (!(Number.isSafeInteger(value) && value >= 0 && value <= 255)) {
      throw invalidOption(`httpbl.${name}`, value, 'a whole number from 0 to 255')
    }
  }
  const ask = createDnsLookup({ ...options, source: common.name, timeout: common.timeout })
  return {
    ...common,
    version: settingsDigest([zone, maxAge, minThreat]),
    supports: (ip) => parseAddress(ip)?.family === 4,
    async lookup(ip, { signal }) {
      // It has no IPv6, whose name would be another question.
      if (parseAddress(ip)?.family !== 4) return undefined
      const [record] = await ask(`${key}.${reverseName(ip)}.${zone}`, signal)
      return record && readRecord(record, common.name, maxAge, minThreat)
    },
  }
}

/** 127, days since the last activity, threat, type. */
function readRecord({ address }: DnsRecord, name: string, maxAge: number, minThreat: number): Verdict | undefined {
  const [first = 0, days = 0, threat = 0, type = 0] = /^\d+(\.\d+){3}$/.test(address)
    ? address.split('.').map(Number)
    : []
  if (first !== 127) {
    throw new IpGuardError(
      'IPGUARD_PROVIDER_FAILED',
      `${name} answered with an address that is not in 127.0.0.0/8: your resolver may answer in its place.`,
    )
  }
  // Of a search engine the third octet is its number, and no threat.
  if (type === 0) return { score: 0, categories: ['crawler'], detail: `search engine ${threat}` }
  if (days > maxAge || threat < minThreat) return undefined
  const found = TYPES.filter(([bit]) => (type & bit) !== 0)
  const names = found.map(([, word]) => word).join(', ') || `type ${type}`
  return {
    score: Math.min(100, Math.max(threat, ...found.map(([, , score]) => score))),
    ...(found.length > 0 && { categories: found.map(([, , , category]) => category) }),
    detail: `${names}, threat ${threat}, ${days} days ago`,
  }
}
