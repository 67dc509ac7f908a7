import type { Category, Provider, Verdict } from '@ipguard/core'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { type Fields, list, object, optionalObject, required, text } from './read-json.ts'
import { inRange, oneLine, verdictOf } from './verdict-of.ts'

/** The options of `crowdsecCti`. */
export interface CrowdsecCtiOptions extends HttpProviderOptions {
  /** The key from the console. It travels in a header. */
  readonly key: string
}

/** Where an answer has no scores. */
const REPUTATIONS: Readonly<Record<string, number>> = { malicious: 80, suspicious: 50, known: 20, safe: 0, unknown: 0 }
const CONFIDENCES: Readonly<Record<string, number>> = { high: 1, medium: 0.75, low: 0.5 }
/** The words of behaviours (`http:scan`) and classifications (`proxy:vpn`), the most exact first. */
const WORDS: readonly (readonly [RegExp, Category])[] = [
  [/bruteforce/, 'brute-force'],
  [/scan/, 'scanner'],
  [/spam/, 'spam'],
  [/d?dos\b/, 'ddos'],
  [/botnet/, 'botnet'],
  [/malware/, 'malware'],
  [/phishing/, 'phishing'],
  [/exploit|crawl/, 'abuse'],
  [/vpn/, 'vpn'],
  [/\btor\b/, 'tor'],
  [/\bproxy\b/, 'proxy'],
  [/data_center/, 'hosting'],
]

/**
 * CrowdSec CTI: what the CrowdSec network has seen an address do, and how sure and how bad it is.
 *
 * A key is required; the free one has 120 look-ups a month, so the default quota is 4 a day: use it where another signal has made an address
 * interesting, not for every visitor. Status 404 is "no data". The score is 20 times the vendor's overall total (0 to 5), or stands for its
 * reputation word where there is none; what the vendor lists as a false positive (a CDN, a search engine) or calls safe scores 0 and gets no
 * category but `crawler`. Kept for 24 hours (this project's choice).
 *
 * @example
 * const provider = crowdsecCti({ key: 'your-key' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` without a key; `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function crowdsecCti(options: CrowdsecCtiOptions): Provider {
  const { key } = options ?? {}
  checkKey(key, 'crowdsecCti.key')
  return httpProvider({
    factory: 'crowdsecCti',
    options,
    own: ['key'],
    defaults: {
      baseUrl: 'https://cti.api.crowdsec.net/v2/smoke',
      quota: { perDay: 4 },
      ttl: { verdict: '24h', unlisted: '24h' },
    },
    secrets: [key],
    statuses: { 404: 'unlisted' },
    request: (ip, baseUrl) => ({ url: `${baseUrl}/${encodeURIComponent(ip)}`, headers: { 'x-api-key': key } }),
    read: (answer) => read(object(answer.json())),
  })
}

function read(body: Fields): Verdict | undefined {
  const reputation = text(body.reputation)?.toLowerCase()
  const total = inRange(optionalObject(optionalObject(body.scores)?.overall)?.total, 5)
  const word = lookUp(REPUTATIONS, reputation)
  const score = required(total === undefined ? word : total * 20, 'a total from 0 to 5 or a reputation')
  const classes = optionalObject(body.classifications)
  const mistakes = namesOf(classes?.false_positives)
  if (mistakes.length > 0 || reputation === 'safe') {
    const isCrawler = mistakes.some((name) => name.startsWith('seo'))
    return verdictOf(0, isCrawler ? ['crawler'] : [], { detail: `known good: ${mistakes[0] ?? 'safe'}` })
  }
  const names = [...namesOf(body.behaviors), ...namesOf(classes?.classifications)]
  return verdictOf(score, [...new Set(names.flatMap(categoriesOf))], {
    detail: names.length > 0 ? names.slice(0, 3).join(', ') : undefined,
    confidence: lookUp(CONFIDENCES, text(body.confidence)?.toLowerCase()),
  })
}

function lookUp(table: Readonly<Record<string, number>>, word: string | undefined): number | undefined {
  return word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined
}

function namesOf(value: unknown): readonly string[] {
  return (list(value) ?? []).slice(0, 50).flatMap((item) => {
    const name = oneLine(optionalObject(item)?.name ?? item, 60)
    // An entry that has no name is an entry: a false positive must not be lost.
    return name?.toLowerCase() ?? 'without a name'
  })
}

function categoriesOf(name: string): readonly Category[] {
  // Research that scans everybody says who it is.
  if (name.startsWith('scanner:')) return ['scanner']
  const found = WORDS.find(([pattern]) => pattern.test(name))
  return found ? [found[1]] : []
}
