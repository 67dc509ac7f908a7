import type { Category, Provider, Verdict } from '@ipguard/core'
import { invalidOption } from '@ipguard/core'
import { checkScores } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readProxycheck } from './proxycheck-answer.ts'
import { versionOf } from './version-of.ts'

/** The options of `proxycheck`. */
export interface ProxycheckOptions extends HttpProviderOptions {
  /** The account's key; without one the vendor answers 100 look-ups a day. It travels in the URL and appears in no error. */
  readonly key?: string
  /** Which API is asked. Version 2 is older, and will be kept running for years. @default 3 */
  readonly version?: 2 | 3
  /** The dated behaviour of version 3, pinned so that answers do not change by themselves. @default '24-June-2026' */
  readonly ver?: string
  /** How many days back a detection counts. @default the vendor's (7) */
  readonly days?: number
  /** What a category counts for where the answer has no risk. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const VER = '24-June-2026'

/**
 * proxycheck.io: a risk of 0 to 100, and whether the address is a proxy, VPN, Tor exit, compromised, a scraper, or of a hosting company.
 *
 * Free: 100 look-ups a day, 1,000 with a free key; the default quota is the one that fits. Never over 200 a second. IPv4 and IPv6. A warning
 * comes with a valid answer and is taken as one. The answer names the address as a key, whose spelling may differ for IPv6: addresses are
 * compared, not texts. Kept for 6 hours (this project's choice).
 *
 * @example
 * const provider = proxycheck({ key: 'your-key' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function proxycheck(options: ProxycheckOptions = {}): Provider {
  const { key, version = 3, scores } = options ?? {}
  check(options)
  const query = new URLSearchParams(version === 3 ? { ver: options.ver ?? VER } : { vpn: '1', risk: '1' })
  if (options.days !== undefined) query.set('days', String(options.days))
  const settings = `v${version}?${query.toString()}`
  if (key !== undefined) query.set('key', key)
  return httpProvider({
    factory: 'proxycheck',
    options,
    own: ['key', 'version', 'ver', 'days', 'scores'],
    defaults: {
      baseUrl: 'https://proxycheck.io',
      quota: { perDay: key === undefined ? 100 : 1_000 },
      ttl: { verdict: '6h', unlisted: '6h' },
    },
    secrets: key === undefined ? [] : [key],
    version: versionOf(settings, scores),
    // A refusal may be the quota: what is meant stands in the body.
    statuses: { 400: 'read', 401: 'read', 403: 'read', 429: 'read' },
    request: (ip, baseUrl) => ({ url: `${baseUrl}/v${version}/${encodeURIComponent(ip)}?${query.toString()}` }),
    read: (answer, ip): Verdict | undefined => readProxycheck(answer, ip, scores),
  })
}

function check({ key, version, ver, days, scores }: ProxycheckOptions): void {
  if (key !== undefined) checkKey(key, 'proxycheck.key')
  if (version !== undefined && version !== 2 && version !== 3)
    throw invalidOption('proxycheck.version', version, '2 or 3')
  if (ver !== undefined) {
    if (typeof ver !== 'string' || !/^\d{1,2}-[A-Z][a-z]+-\d{4}$/.test(ver)) {
      throw invalidOption('proxycheck.ver', ver, `a date as the vendor writes it, such as '${VER}'`)
    }
    if (version === 2) throw invalidOption('proxycheck.ver', ver, 'it with version 3 only')
  }
  if (days !== undefined && !(Number.isSafeInteger(days) && days >= 1 && days <= 365)) {
    throw invalidOption('proxycheck.days', days, 'a whole number from 1 to 365')
  }
  checkScores(scores, 'proxycheck')
}
