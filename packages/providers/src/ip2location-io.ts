import type { Category, Provider, Verdict } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, object, optionalObject, required } from './read-json.ts'
import { fieldsOf, vendorError } from './vendor-error.ts'
import { inRange, oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `ip2locationIo`. */
export interface Ip2locationIoOptions extends HttpProviderOptions {
  /** The account's key. It travels in the URL and appears in no error. @default none: the small quota without one */
  readonly key?: string
  /** What a category counts for where the answer has no fraud score. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const FLAGS: Readonly<Record<string, Category>> = {
  is_vpn: 'vpn',
  is_tor: 'tor',
  is_data_center: 'hosting',
  is_public_proxy: 'proxy',
  is_web_proxy: 'proxy',
  is_web_crawler: 'crawler',
  is_residential_proxy: 'residential-proxy',
  is_spammer: 'spam',
  is_scanner: 'scanner',
  is_botnet: 'botnet',
  is_consumer_privacy_network: 'relay',
  is_enterprise_private_network: 'enterprise-vpn',
}
const WORDS: Readonly<Record<string, Category>> = {
  VPN: 'vpn',
  TOR: 'tor',
  DCH: 'hosting',
  PUB: 'proxy',
  WEB: 'proxy',
  SES: 'crawler',
  RES: 'residential-proxy',
  CPN: 'relay',
  EPN: 'enterprise-vpn',
  SPAM: 'spam',
  SCANNER: 'scanner',
  BOTNET: 'botnet',
}

/**
 * IP2Location.io: whether an address is a proxy, and with the Security plan of which kind, with a fraud score of 0 to 99.
 *
 * The default quota is 1,000 a day without and 1,600 with a key (free plans, unverified). IPv4 and IPv6. `is_proxy` alone, all that smaller
 * plans answer, is also set for search robots and company networks: it gives no category, and half of what a proxy counts. A search robot
 * scores 0 whatever else is said, and a company network that nothing else is said of too. Kept for 24 hours (this project's choice).
 *
 * @example
 * const provider = ip2locationIo({ key: 'your-key' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function ip2locationIo(options: Ip2locationIoOptions = {}): Provider {
  const { key, scores } = options ?? {}
  if (key !== undefined) checkKey(key, 'ip2locationIo.key')
  checkScores(scores, 'ip2locationIo')
  return httpProvider({
    factory: 'ip2locationIo',
    options,
    own: ['key', 'scores'],
    defaults: {
      baseUrl: 'https://api.ip2location.io',
      quota: { perDay: key === undefined ? 1_000 : 1_600 },
      ttl: { verdict: '24h', unlisted: '24h' },
    },
    secrets: key === undefined ? [] : [key],
    // Plans differ in what they answer, and a key has a plan.
    version: versionOf(key === undefined ? '' : 'key', scores),
    statuses: { 400: 'read', 401: 'read' },
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/?${new URLSearchParams({ ip, format: 'json', ...(key !== undefined && { key }) }).toString()}`,
    }),
    read(answer) {
      const body = answer.status === 200 ? object(answer.json()) : fieldsOf(answer)
      if (answer.status !== 200 || !body || body.error !== undefined) {
        const code = answer.status === 401 ? 'IPGUARD_PROVIDER_REFUSED' : 'IPGUARD_PROVIDER_FAILED'
        throw vendorError('ip2locationIo', optionalObject(body?.error)?.error_message, code)
      }
      return read(body, scores)
    },
  })
}

function read(body: Fields, scores: Ip2locationIoOptions['scores']): Verdict | undefined {
  const proxy = optionalObject(body.proxy)
  const fraud = inRange(body.fraud_score ?? proxy?.fraud_score)
  const isProxy = flag(body.is_proxy)
  const flags = readFlags(proxy, FLAGS)
  required(flags ?? isProxy ?? fraud, 'is_proxy or a fraud_score')
  const found = [...new Set([...(flags ?? []), ...wordsOf(proxy?.proxy_type), ...wordsOf(proxy?.threat)])]
  const detail = oneLine(proxy?.provider)
  if (found.includes('crawler')) return verdictOf(0, ['crawler'], { detail })
  if (found.length > 0) {
    const isCompany = found.every((category) => category === 'enterprise-vpn')
    return verdictOf(isCompany ? 0 : (fraud ?? flagScore(found, scores)), found, { detail })
  }
  if (fraud !== undefined) return verdictOf(fraud, [])
  return isProxy ? verdictOf(flagScore(['proxy'], scores) / 2, [], { detail: 'a proxy of unknown kind' }) : undefined
}

/** Types and threats come as one word, or as several with "/" between them. */
function wordsOf(value: unknown): readonly Category[] {
  const words = (oneLine(value) ?? '').toUpperCase().split(/[^A-Z]+/)
  return words.flatMap((word) => (Object.hasOwn(WORDS, word) ? [WORDS[word] as Category] : [])) // it has the word
}
