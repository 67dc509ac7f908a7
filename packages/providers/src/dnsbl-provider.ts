import {
  type Clock,
  checkOptions,
  IpGuardError,
  invalidOption,
  type Provider,
  parseAddress,
  parseDuration,
  systemClock,
} from '@ipguard/core'
import { compileCodes, type DnsblCodes, type DnsblErrors } from './dnsbl-codes.ts'
import { reverseName } from './dnsbl-name.ts'
import { createProbe, type DnsblProbe, RFC_5782 } from './dnsbl-probe.ts'
import { checkDnsOptions, createDnsLookup, DNS_OPTIONS, type DnsOptions } from './dnsbl-resolver.ts'
import { type CommonOptions, checkCommonOptions } from './http-provider-options.ts'
import { settingsDigest } from './settings-digest.ts'

/** The options of `dnsbl`: a zone, and what its answers mean. */
export interface DnsblOptions extends Omit<CommonOptions, 'timeout'>, DnsOptions {
  /** Such as `'bl.blocklist.de'`. */
  readonly zone: string
  /** A label that is asked in front of the zone, and appears in no error. */
  readonly key?: string
  /** What its answers stand for. @default { '*': 100 }: every answer is a listing */
  readonly codes?: DnsblCodes
  /** Answers that mean a fault, beside 127.0.0.1, 127.255.255.0/24 and all outside 127.0.0.0/8. */
  readonly errors?: DnsblErrors
  /** Whether it is asked about IPv6 addresses too. @default true */
  readonly ipv6?: boolean
  /** What has to be listed and what must not be, before the list is used; false: it is not probed. @default { listed: '127.0.0.2', unlisted: '127.0.0.1' } */
  readonly probe?: DnsblProbe | false
  /** @default the system's */
  readonly clock?: Clock
}

const OWN = ['zone', 'key', 'codes', 'errors', 'ipv6', 'probe', 'clock'] as const
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const TTL = { verdict: '1h', unlisted: '10m' } as const

/**
 * A DNS block list: an A record means "listed", no such name "not listed", and anything else that it could not tell. Of several records the
 * highest score counts.
 *
 * An answer is kept as long as its record says, 1 minute to 1 hour, and never longer than `ttl.verdict`. Before its first use, and then each hour,
 * the list has to list 127.0.0.2 and not 127.0.0.1 (RFC 5782); while it does not, it is not used, the guard warns of it, and it is tried again
 * after 10 minutes. Give several lists a `name` each.
 *
 * Needs `node:dns`, or a function as `resolve`. Most lists refuse public resolvers such as 8.8.8.8; use your own.
 *
 * @example
 * dnsbl({ name: 'drone', zone: 'dnsbl.example.org', codes: { '127.0.0.3': { score: 80, categories: ['botnet'], label: 'drone' } } })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`; a look-up rejects with
 * `IPGUARD_DNS_MISSING` where there is no `node:dns`
 */
export function dnsbl(options: DnsblOptions): Provider {
  return dnsblProvider('dnsbl', options)
}

/** For presets: errors name their factory. */
export function dnsblProvider(factory: string, options: DnsblOptions): Provider {
  checkOptions(options, ['name', 'weight', 'ttl', 'quota', ...DNS_OPTIONS, ...OWN], factory)
  const { key, codes = { '*': 100 }, errors, ipv6 = true, clock = systemClock() } = options
  const common = checkCommonOptions(factory, options, { timeout: '3s', ttl: TTL })
  checkDnsOptions(options, factory)
  const zone = checkZone(options.zone, factory)
  if (key !== undefined && !(typeof key === 'string' && LABEL.test(key))) {
    throw invalidOption(`${factory}.key`, typeof key, 'the key that the vendor gave you: up to 63 letters and digits')
  }
  const ask = createDnsLookup({ ...options, source: common.name, timeout: common.timeout })
  const suffix = key === undefined ? zone : `${key}.${zone}`
  const nameOf = (ip: string): string => {
    const reversed = reverseName(ip)
    if (reversed !== undefined) return `${reversed}.${suffix}`
    throw new IpGuardError('IPGUARD_ADDRESS_INVALID', `${common.name} was asked about something that is no address.`)
  }
  const longest = parseDuration(common.ttl?.verdict ?? TTL.verdict, `${factory}.ttl.verdict`)
  const read = compileCodes(common.name, factory, codes, errors, longest)
  // For a probe any code is a listing, also one that scores nothing, and a fault is a fault.
  const any = Object.fromEntries([...Object.keys(codes), '*'].map((answer) => [answer, 1]))
  const readAny = compileCodes(common.name, factory, any, errors)
  const probe = options.probe === false ? undefined : checkProbe(options.probe ?? RFC_5782, factory)
  const works =
    probe &&
    createProbe({
      source: common.name,
      probe,
      clock,
      ask: async (ip, signal) => readAny(await ask(nameOf(ip), signal)),
    })
  return {
    ...common,
    version: settingsDigest([zone, codes, errors]),
    ...(!ipv6 && { supports: (ip: string) => parseAddress(ip)?.family === 4 }),
    async lookup(ip, { signal }) {
      const name = nameOf(ip)
      await works?.(signal)
      return read(await ask(name, signal))
    },
  }
}

function checkZone(zone: unknown, factory: string): string {
  const text = typeof zone === 'string' ? zone.replace(/\.$/, '') : ''
  // 64 characters of nibbles and a key have to fit into 253.
  if (text.length > 0 && text.length <= 120 && text.split('.').every((label) => LABEL.test(label))) return text
  throw invalidOption(`${factory}.zone`, zone, "the name of a DNS zone: 'bl.example.org'")
}

function checkProbe(probe: DnsblProbe, factory: string): DnsblProbe {
  checkOptions(probe, ['listed', 'unlisted'], `${factory}.probe`)
  for (const [name, ip] of Object.entries(probe)) {
    if (ip !== undefined && reverseName(String(ip)) === undefined) {
      throw invalidOption(`${factory}.probe.${name}`, ip, "an address: '127.0.0.2'")
    }
  }
  return probe
}
