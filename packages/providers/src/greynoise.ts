import { checkOptions, invalidOption, type Provider, parseAddress, type Verdict } from '@ipguard/core'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { type Fields, flag, object, required } from './read-json.ts'
import { oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** How GreyNoise judges who it has seen. */
export type GreynoiseClassification = 'malicious' | 'suspicious' | 'unknown'

/** The options of `greynoise`. */
export interface GreynoiseOptions extends HttpProviderOptions {
  /** The account's key. It travels in a header. @default none: the small quota without an account */
  readonly key?: string
  /** What each classification counts for, 0 to 100; `benign` is always 0. @default malicious 85, suspicious 50, unknown 20 */
  readonly scores?: Readonly<Partial<Record<GreynoiseClassification, number>>>
}

const SCORES: Readonly<Record<GreynoiseClassification, number>> = { malicious: 85, suspicious: 50, unknown: 20 }

/**
 * GreyNoise Community: whether an address has been seen scanning the whole internet, and with what intent.
 *
 * IPv4 only: nothing is asked about IPv6. The quota is small and was told as 100 a day and, more recently, as 50 a week: the default is 7 a
 * day; raise it to what your account has. Status 404 is "never seen". Well-known services (`riot`) and benign scanners score 0 and get no
 * category. Kept for 24 hours (this project's choice).
 *
 * @example
 * const provider = greynoise({ key: 'your-key', quota: { perDay: 100 } })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function greynoise(options: GreynoiseOptions = {}): Provider {
  const { key } = options ?? {}
  if (key !== undefined) checkKey(key, 'greynoise.key')
  const scores = scoresOf(options.scores)
  return httpProvider({
    factory: 'greynoise',
    options,
    own: ['key', 'scores'],
    defaults: {
      baseUrl: 'https://api.greynoise.io/v3/community',
      quota: { perDay: 7 },
      ttl: { verdict: '24h', unlisted: '24h' },
    },
    version: versionOf('', options.scores),
    secrets: key === undefined ? [] : [key],
    supports: (ip) => parseAddress(ip)?.family === 4,
    statuses: { 404: 'unlisted' },
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/${encodeURIComponent(ip)}`,
      ...(key !== undefined && { headers: { key } }),
    }),
    read: (answer) => read(object(answer.json()), scores),
  })
}

function scoresOf(own: GreynoiseOptions['scores'] = {}): Readonly<Record<GreynoiseClassification, number>> {
  checkOptions(own, Object.keys(SCORES), 'greynoise.scores')
  for (const [name, score] of Object.entries(own)) {
    if (!(typeof score === 'number' && score >= 0 && score <= 100)) {
      throw invalidOption(`greynoise.scores.${name}`, score, 'a number from 0 to 100')
    }
  }
  return { ...SCORES, ...own }
}

function read(body: Fields, scores: Readonly<Record<GreynoiseClassification, number>>): Verdict | undefined {
  const isNoise = flag(body.noise)
  const isKnownService = flag(body.riot)
  required(isNoise ?? isKnownService, 'noise or riot')
  const detail = oneLine(body.name)
  const { classification } = body
  if (isKnownService || classification === 'benign') return verdictOf(0, [], { detail })
  const judged = classification === 'malicious' || classification === 'suspicious' ? classification : 'unknown'
  if (!isNoise && judged === 'unknown') return undefined
  const words = detail === undefined ? judged : `${judged}, ${detail}`
  return verdictOf(scores[judged], isNoise ? ['scanner'] : [], { detail: words })
}
