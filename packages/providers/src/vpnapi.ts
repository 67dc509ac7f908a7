import type { Category, Provider } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { object, optionalObject, required } from './read-json.ts'
import { vendorError } from './vendor-error.ts'
import { oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `vpnapi`. */
export interface VpnapiOptions extends HttpProviderOptions {
  /** The account's key. It travels in the URL and appears in no error. */
  readonly key: string
  /** What each category counts for. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const FLAGS: Readonly<Record<string, Category>> = { vpn: 'vpn', proxy: 'proxy', tor: 'tor', relay: 'relay' }

/**
 * vpnapi.io: whether an address is a VPN, proxy, Tor exit or relay. Flags, no score: it is counted from `scores`.
 *
 * A key is required. Free: 1,000 look-ups a day, the default quota. IPv4 and IPv6. An answer without flags is an error, told apart by the
 * vendor's words. Kept for 6 hours (this project's choice).
 *
 * @example
 * const provider = vpnapi({ key: 'your-key' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` without a key; `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function vpnapi(options: VpnapiOptions): Provider {
  const { key, scores } = options ?? {}
  checkKey(key, 'vpnapi.key')
  checkScores(scores, 'vpnapi')
  return httpProvider({
    factory: 'vpnapi',
    options,
    own: ['key', 'scores'],
    defaults: {
      baseUrl: 'https://vpnapi.io',
      quota: { perDay: 1_000 },
      ttl: { verdict: '6h', unlisted: '6h' },
    },
    version: versionOf('', scores),
    secrets: [key],
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/api/${encodeURIComponent(ip)}?${new URLSearchParams({ key }).toString()}`,
    }),
    read(answer) {
      const body = object(answer.json())
      const security = optionalObject(body.security)
      if (!security) {
        const code = body.message === undefined ? 'IPGUARD_PROVIDER_ANSWER' : 'IPGUARD_PROVIDER_FAILED'
        throw vendorError('vpnapi', body.message, code)
      }
      const found = required(readFlags(security, FLAGS), 'flags')
      if (found.length === 0) return undefined
      const detail = oneLine(optionalObject(body.network)?.autonomous_system_organization)
      return verdictOf(flagScore(found, scores), found, { detail })
    },
  })
}
