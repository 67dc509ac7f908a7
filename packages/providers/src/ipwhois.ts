import { type Category, invalidOption, type Provider, type ReportType } from '@ipguard/core'
import { type HttpProviderOptions, type HttpRequest, httpSource } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { flag, number, object, required } from './read-json.ts'
import { oneLine } from './verdict-of.ts'

/** The options of `ipwhois`. */
export interface IpwhoisOptions extends HttpProviderOptions {
  /** Of a free account: raises the quota, and credits reports. Say with `keyIn` how it is sent. */
  readonly key?: string
  /** Where the key goes, as the vendor tells you with it: `{ header: 'x-api-key' }` or `{ query: 'key' }`. */
  readonly keyIn?: { readonly header: string } | { readonly query: string }
}

/** What the vendor calls a threat, and what it is here. A word that is not known counts as `abuse`. */
const THREATS: ReadonlyMap<string, Category> = new Map([
  ['brute-force', 'brute-force'],
  ['spam', 'spam'],
  ['ddos', 'ddos'],
  ['scan', 'scanner'],
  ['phishing', 'phishing'],
  ['malware', 'malware'],
  ['bot', 'botnet'],
])

const REPORTED: Readonly<Record<ReportType, string>> = {
  'brute-force': 'brute-force',
  spam: 'spam',
  ddos: 'ddos',
  scan: 'scan',
  phishing: 'phishing',
  malware: 'malware',
  bot: 'bot',
  fraud: 'other',
  'web-attack': 'other',
  other: 'other',
}

/** The list's own lower bound: nothing with less stands in its feed. */
const LEAST_CONFIDENCE = 50

/**
 * IPWhois Blacklist (https://bl.ipwhois.net): a list made by its community, free, with no key; it also takes reports.
 *
 * Its confidence, 0 to 100, is the score; the vendor advises to block from 70 (a newer page: 90). 500 look-ups a day for one source address,
 * 1,000 with a key: counted before they are sent. Answers are kept for an hour, as in the vendor's example. That IPv6 is answered is not
 * documented; its feed has IPv4 alone. A look-up has 3 s and a report 5 s, as in the vendor's examples; `timeout` replaces both.
 *
 * @example
 * reputation({ providers: [ipwhois()], deny: 70 })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function ipwhois(options: IpwhoisOptions = {}): Provider {
  const { key } = options
  const { provider, send, baseUrl } = httpSource({
    factory: 'ipwhois',
    options,
    own: ['key', 'keyIn'],
    defaults: {
      baseUrl: 'https://bl.ipwhois.net',
      timeout: '3s',
      ttl: { verdict: '1h', unlisted: '1h' },
      quota: { perDay: key === undefined ? 500 : 1_000 },
    },
    ...(key !== undefined && { secrets: [key] }),
    request: (ip, base) => authorized(`${base}/api/check?${new URLSearchParams({ ip })}`),
    read(answer) {
      const { listed, confidence, threat_type: threat } = object(answer.json())
      if (!required(flag(listed), 'listed')) return undefined
      const score = confidence === undefined || confidence === null ? LEAST_CONFIDENCE : number(confidence)
      const word = oneLine(threat, 64)
      return {
        score: Math.min(100, Math.max(0, required(score, 'a number as confidence'))),
        categories: [THREATS.get(word ?? '') ?? 'abuse'],
        ...(word !== undefined && { detail: word }),
      }
    },
  })
  const authorized = authorize(options)

  return {
    ...provider,
    async report(ip, { type, message }, context) {
      const body = new URLSearchParams({ ip, type: REPORTED[type], message })
      const request = { ...authorized(`${baseUrl}/api/report`), method: 'POST', body, timeout: options.timeout ?? '5s' }
      await send(request, context, () => true, { 201: 'read', 202: 'read', 204: 'read' })
    },
  }
}

/** Puts the key where it belongs. */
function authorize({ key, keyIn }: IpwhoisOptions): (url: string) => HttpRequest {
  if (key === undefined && keyIn === undefined) return (url) => ({ url })
  checkKey(key, 'ipwhois.key')
  const place: unknown = keyIn && ('header' in keyIn ? keyIn.header : keyIn.query)
  if (!keyIn || key === undefined || typeof place !== 'string' || !/^[\w-]{1,64}$/.test(place)) {
    throw invalidOption(
      'ipwhois.keyIn',
      keyIn,
      "how the vendor wants the key, { header: 'x-api-key' } or { query: 'key' }",
    )
  }
  if ('header' in keyIn) return (url) => ({ url, headers: { [place]: key } })
  const query = new URLSearchParams([[place, key]])
  return (url) => ({ url: `${url}${url.includes('?') ? '&' : '?'}${query}` })
}
