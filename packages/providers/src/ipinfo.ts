import type { Category, Provider, Verdict } from '@ipguard/core'
import { invalidOption } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, object, optionalObject, required } from './read-json.ts'
import { vendorError } from './vendor-error.ts'
import { oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `ipinfo`. */
export interface IpinfoOptions extends HttpProviderOptions {
  /** The account's token. It travels in a header. */
  readonly key: string
  /**
   * Which of the paid plans is asked: `core` tells that an address is anonymous, `plus` also how, `privacy` is the older service.
   * @default 'core'
   */
  readonly plan?: 'core' | 'plus' | 'privacy'
  /** What each category counts for. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const PLANS = {
  core: { baseUrl: 'https://api.ipinfo.io', path: (ip: string) => `/lookup/${ip}` },
  plus: { baseUrl: 'https://api.ipinfo.io', path: (ip: string) => `/plus/${ip}` },
  privacy: { baseUrl: 'https://ipinfo.io', path: (ip: string) => `/${ip}/privacy` },
} as const

const OUTER: Readonly<Record<string, Category>> = {
  vpn: 'vpn',
  proxy: 'proxy',
  tor: 'tor',
  relay: 'relay',
  hosting: 'hosting',
  is_hosting: 'hosting',
}
const INNER: Readonly<Record<string, Category>> = { is_vpn: 'vpn', is_proxy: 'proxy', is_tor: 'tor', is_relay: 'relay' }

/**
 * ipinfo.io: whether an address is a VPN, proxy, Tor exit, relay or of a hosting company. Flags, no score: it is counted from `scores`.
 *
 * A token of a paid plan is required: the free plan (Lite) has no such flags, and so nothing to say here. The default quota, 5,000 a day, is
 * the smallest paid plan's 150,000 a month. IPv4 and IPv6. `core` says only that an address is anonymous, which counts as a proxy. Kept for
 * 24 hours, as the vendor's own client does.
 *
 * @example
 * const provider = ipinfo({ key: 'your-token', plan: 'plus' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` without a token; `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function ipinfo(options: IpinfoOptions): Provider {
  const { key, plan = 'core', scores } = options ?? {}
  checkKey(key, 'ipinfo.key')
  checkScores(scores, 'ipinfo')
  if (!Object.hasOwn(PLANS, plan)) throw invalidOption('ipinfo.plan', plan, "'core', 'plus' or 'privacy'")
  const { baseUrl: home, path } = PLANS[plan]
  return httpProvider({
    factory: 'ipinfo',
    options,
    own: ['key', 'plan', 'scores'],
    defaults: { baseUrl: home, quota: { perDay: 5_000 }, ttl: { verdict: '24h', unlisted: '24h' } },
    secrets: [key],
    version: versionOf(plan, scores),
    request: (ip, baseUrl) => ({
      url: baseUrl + path(encodeURIComponent(ip)),
      headers: { authorization: `Bearer ${key}` },
    }),
    read: (answer) => read(object(answer.json()), scores),
  })
}

function read(body: Fields, scores: IpinfoOptions['scores']): Verdict | undefined {
  if (flag(body.bogon)) return undefined
  if (body.error !== undefined) {
    throw vendorError('ipinfo', optionalObject(body.error)?.title ?? body.error, 'IPGUARD_PROVIDER_FAILED')
  }
  const anonymous = optionalObject(body.anonymous)
  const outer = readFlags(body, OUTER)
  const inner = readFlags(anonymous, INNER)
  const isAnonymous = flag(body.is_anonymous)
  required(outer ?? inner ?? isAnonymous, 'privacy flags')
  const found = new Set([...(outer ?? []), ...(inner ?? [])])
  const isHidden = [...found].some((category) => category !== 'hosting')
  if (isAnonymous && !isHidden) found.add('proxy')
  if (found.size === 0) return undefined
  return verdictOf(flagScore([...found], scores), [...found], {
    detail: oneLine(anonymous?.name) ?? oneLine(body.service),
  })
}
