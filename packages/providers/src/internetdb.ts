import type { Category, Provider, Verdict } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { list, object, required } from './read-json.ts'
import { oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `internetdb`. */
export interface InternetdbOptions extends HttpProviderOptions {
  /** What each category counts for. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const TAGS: Readonly<Record<string, Category>> = {
  vpn: 'vpn',
  proxy: 'proxy',
  tor: 'tor',
  cloud: 'hosting',
  scanner: 'scanner',
  compromised: 'malware',
  malware: 'malware',
}
const HOUR = 3_600_000
const DAY = 24 * HOUR

/**
 * Shodan InternetDB: what is open on an address. It is context, not reputation: ports and weaknesses give no score, only tags such as `vpn`,
 * `proxy` and `tor` do; other tags stand in the evidence.
 *
 * No key; for non-commercial use, with attribution to Shodan. About 600 quick look-ups end in a ban of an hour: the default quota is 60 a
 * minute, and a 429 pauses for an hour. Status 404 is "no data", the usual answer for IPv6. The data is renewed weekly: verdicts are kept for
 * as long as the answer's `Cache-Control` says, up to 7 days, else for 24 hours.
 *
 * @example
 * const provider = internetdb()
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function internetdb(options: InternetdbOptions = {}): Provider {
  const { scores } = options ?? {}
  checkScores(scores, 'internetdb')
  return httpProvider({
    factory: 'internetdb',
    options,
    own: ['scores'],
    defaults: {
      baseUrl: 'https://internetdb.shodan.io',
      quota: { perMinute: 60 },
      ttl: { verdict: '24h', unlisted: '24h' },
    },
    version: versionOf('', scores),
    statuses: { 404: 'unlisted' },
    request: (ip, baseUrl) => ({ url: `${baseUrl}/${encodeURIComponent(ip)}` }),
    retryAfter: ({ status, headers }) => (status === 429 && !headers.has('retry-after') ? HOUR : undefined),
    read: (answer) => withTtl(read(answer, scores), answer.headers),
  })
}

function read(answer: ProviderAnswer, scores: InternetdbOptions['scores']): Verdict | undefined {
  const tags = required(list(object(answer.json()).tags), 'tags')
    .slice(0, 50)
    .flatMap((tag) => oneLine(tag, 30)?.toLowerCase() ?? [])
  const found = [...new Set(tags.flatMap((tag) => (Object.hasOwn(TAGS, tag) ? [TAGS[tag] as Category] : [])))] // it has the tag
  return verdictOf(flagScore(found, scores), found, {
    detail: tags.length > 0 ? `tags ${tags.slice(0, 5).join(', ')}` : undefined,
  })
}

function withTtl(verdict: Verdict | undefined, headers: Headers): Verdict | undefined {
  const seconds = Number(/(?:^|[\s,])max-age=(\d{1,9})\b/i.exec(headers.get('cache-control') ?? '')?.[1] ?? 0)
  return verdict && seconds > 0 ? { ...verdict, ttl: Math.min(seconds * 1_000, 7 * DAY) } : verdict
}
