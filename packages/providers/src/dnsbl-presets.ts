import type { Provider } from '@ipguard/core'
import type { DnsblCodes } from './dnsbl-codes.ts'
import { type DnsblOptions, dnsblProvider } from './dnsbl-provider.ts'

/** Of a list that is known: zone, probe and codes are set. Another zone is for a mirror of your own. */
export interface DnsblPresetOptions extends Partial<Omit<DnsblOptions, 'key' | 'ipv6' | 'probe'>> {}

/** The options of `spamhausDqs`. */
export interface SpamhausDqsOptions extends DnsblPresetOptions {
  /** Of your Data Query Service account. Appears in no error. */
  readonly key: string
}

/**
 * SBL, CSS, XBL and DROP are listings. PBL (127.0.0.10, .11) is the space of providers' customers, in which most honest visitors are: no
 * listing. Scores are this project's own.
 */
const ZEN: DnsblCodes = {
  '127.0.0.2': { score: 80, categories: ['spam'], label: 'SBL' },
  '127.0.0.3': { score: 70, categories: ['spam'], label: 'CSS' },
  '127.0.0.4': { score: 80, categories: ['botnet'], label: 'XBL' },
  '127.0.0.9': { score: 100, categories: ['abuse'], label: 'DROP' },
  '127.0.0.10': 0,
  '127.0.0.11': 0,
  '127.0.0.30': { score: 100, categories: ['botnet'], label: 'BCL' },
}

/**
 * Spamhaus ZEN over public DNS: free for low volume and non-commercial use only, through a resolver of your own (public ones such as 8.8.8.8 are
 * refused), IPv4 and IPv6. Otherwise use `spamhausDqs`.
 *
 * @example
 * spamhausZen({ weight: 0.9 })
 * @throws {IpGuardError} as `dnsbl`
 */
export function spamhausZen(options: DnsblPresetOptions = {}): Provider {
  return preset('spamhausZen', { name: 'spamhaus-zen', zone: 'zen.spamhaus.org', codes: ZEN }, options)
}

/**
 * Spamhaus ZEN over the Data Query Service, with a key and through any resolver; the terms are those of your contract.
 *
 * @example
 * spamhausDqs({ key: process.env.SPAMHAUS_DQS_KEY ?? '' })
 * @throws {IpGuardError} as `dnsbl`
 */
export function spamhausDqs(options: SpamhausDqsOptions): Provider {
  const defaults = { name: 'spamhaus-dqs', zone: 'zen.dq.spamhaus.net', codes: ZEN }
  // Without a key the question would go to the zone itself, which answers nothing: no key is a wrong one.
  const keyed = { ...options, key: (options as Partial<SpamhausDqsOptions> | undefined)?.key ?? '' }
  return preset('spamhausDqs', defaults, keyed)
}

/**
 * blocklist.de: attackers of the last 48 hours on SSH, mail, web and other services; free.
 *
 * @example
 * blocklistDe()
 * @throws {IpGuardError} as `dnsbl`
 */
export function blocklistDe(options: DnsblPresetOptions = {}): Provider {
  const codes: DnsblCodes = {
    '127.0.0.14': { score: 70, categories: ['brute-force'], label: 'ssh' },
    '127.0.0.21': { score: 80, categories: ['brute-force'], label: 'login' },
    '*': { score: 70, categories: ['abuse'] },
  }
  return preset('blocklistDe', { name: 'blocklist-de', zone: 'bl.blocklist.de', codes }, options)
}

/**
 * Tor exits, by the Tor project's own list: free, IPv4 only here. It says who, not that anything bad was done.
 *
 * @example
 * torDnsel()
 * @throws {IpGuardError} as `dnsbl`
 */
export function torDnsel(options: DnsblPresetOptions = {}): Provider {
  const codes: DnsblCodes = { '127.0.0.2': { score: 60, categories: ['tor'], label: 'exit' } }
  // It is no block list, and nothing is known to be always on it.
  const probe = { unlisted: '127.0.0.1' }
  return preset('torDnsel', { name: 'tor-dnsel', zone: 'dnsel.torproject.org', codes, ipv6: false, probe }, options)
}

function preset(factory: string, defaults: DnsblOptions, options: Partial<DnsblOptions>): Provider {
  // What is no object is told by the check of options.
  return dnsblProvider(factory, typeof options === 'object' ? { ...defaults, ...options } : options)
}
