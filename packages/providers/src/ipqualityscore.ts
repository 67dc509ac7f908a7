import type { Category, Provider, Verdict } from '@ipguard/core'
import { invalidOption } from '@ipguard/core'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, object, required } from './read-json.ts'
import { vendorError } from './vendor-error.ts'
import { inRange, oneLine, verdictOf } from './verdict-of.ts'

/** The options of `ipqualityscore`. */
export interface IpqualityscoreOptions extends HttpProviderOptions {
  /** The account's key. It travels in the path of the URL, as the vendor wants it, and appears in no error. */
  readonly key: string
  /** How hard it looks, 0 to 3: higher finds more and is wrong more often. @default the vendor's (0) */
  readonly strictness?: 0 | 1 | 2 | 3
  /** Milder with hotels, universities and other places where many share an address. @default the vendor's */
  readonly allowPublicAccessPoints?: boolean
  /** Lower scores for addresses that honest and bad people share. @default the vendor's */
  readonly lighterPenalties?: boolean
  /** Leaves out the slow checks. @default the vendor's */
  readonly fast?: boolean
}

const SWITCHES = {
  allowPublicAccessPoints: 'allow_public_access_points',
  lighterPenalties: 'lighter_penalties',
  fast: 'fast',
} as const
const OWN = ['key', 'strictness', ...Object.keys(SWITCHES)]
const FLAGS: Readonly<Record<string, Category>> = {
  vpn: 'vpn',
  active_vpn: 'vpn',
  tor: 'tor',
  active_tor: 'tor',
  recent_abuse: 'abuse',
  bot_status: 'abuse',
}

/**
 * IPQualityScore: a fraud score of 0 to 100, and whether the address is a VPN, proxy, Tor exit, data centre or crawler.
 *
 * Free accounts have 1,000 look-ups a month and 35 a day, which is the default quota; IPv4 and IPv6. Failures come with status 200 and are
 * told apart by the vendor's words. A crawler that the vendor has confirmed scores 0. The vendor's score is the verdict's: from 75 it calls an
 * address suspicious. User agent, language and transaction data are not sent: they belong to a request, and the answer is kept for an address.
 * Kept for 6 hours (this project's choice).
 *
 * @example
 * const provider = ipqualityscore({ key: 'your-key', strictness: 1 })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` without a key; `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function ipqualityscore(options: IpqualityscoreOptions): Provider {
  const query = queryOf(options)
  return httpProvider({
    factory: 'ipqualityscore',
    options,
    own: OWN,
    defaults: {
      baseUrl: 'https://www.ipqualityscore.com/api/json/ip',
      quota: { perDay: 35 },
      ttl: { verdict: '6h', unlisted: '6h' },
    },
    secrets: [options.key],
    version: query,
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/${encodeURIComponent(options.key)}/${encodeURIComponent(ip)}${query && `?${query}`}`,
    }),
    read: (answer) => read(object(answer.json())),
  })
}

function queryOf(options: IpqualityscoreOptions): string {
  checkKey(options.key, 'ipqualityscore.key')
  const query = new URLSearchParams()
  const { strictness } = options
  if (strictness !== undefined) {
    if (![0, 1, 2, 3].includes(strictness)) throw invalidOption('ipqualityscore.strictness', strictness, '0, 1, 2 or 3')
    query.set('strictness', String(strictness))
  }
  for (const [option, name] of Object.entries(SWITCHES) as [keyof typeof SWITCHES, string][]) {
    const value = options[option]
    if (value === undefined) continue
    if (typeof value !== 'boolean') throw invalidOption(`ipqualityscore.${option}`, value, 'true or false')
    query.set(name, String(value))
  }
  return query.toString()
}

function read(body: Fields): Verdict | undefined {
  if (flag(body.success) !== true) {
    throw vendorError(
      'ipqualityscore',
      body.message,
      body.message ? 'IPGUARD_PROVIDER_FAILED' : 'IPGUARD_PROVIDER_ANSWER',
    )
  }
  const score = required(inRange(body.fraud_score), 'a fraud_score from 0 to 100')
  if (flag(body.is_crawler)) return verdictOf(0, ['crawler'])
  const found = new Set(readFlags(body, FLAGS))
  // It is set with every VPN and Tor exit too.
  if (flag(body.proxy) && !found.has('vpn') && !found.has('tor')) found.add('proxy')
  if (body.connection_type === 'Data Center') found.add('hosting')
  const velocity = oneLine(body.abuse_velocity, 20)
  return verdictOf(score, [...found], { detail: velocity && `abuse velocity ${velocity}` })
}
