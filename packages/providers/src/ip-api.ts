import { type Category, IpGuardError, invalidOption, type Provider, type Verdict } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, number, object, required } from './read-json.ts'
import { vendorError } from './vendor-error.ts'
import { verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

interface Common extends HttpProviderOptions {
  /** What each category counts for. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

/** The options of `ipApi` with a key, over HTTPS. */
export interface IpApiProOptions extends Common {
  /** @default 'pro' */
  readonly plan?: 'pro'
  /** The key of the paid plan. It travels in the URL and appears in no error. */
  readonly key: string
}

/** The options of `ipApi` without a key, over plain HTTP and for non-commercial use. */
export interface IpApiFreeOptions extends Common {
  /** 45 look-ups a minute, not for commercial use. */
  readonly plan: 'free'
  /** The free plan has no https: whoever is on the way can read which addresses are asked about and write the answers. Say that you know. */
  readonly plainHttp: true
}

/** The options of `ipApi`. */
export type IpApiOptions = IpApiProOptions | IpApiFreeOptions

const FIELDS = 'status,message,countryCode,as,proxy,hosting,mobile,query'
const FLAGS: Readonly<Record<string, Category>> = { proxy: 'proxy', hosting: 'hosting' }
/** After a 429 that does not say how long: the vendor's window. */
const MINUTE = 60_000

/**
 * ip-api.com: whether an address is a proxy (also VPN and Tor exit) or of a hosting company. Flags, no score.
 *
 * The paid plan, with a key and over https, is the default. The free one is for non-commercial use, allows 45 look-ups a minute, and exists
 * over plain http only: it must be asked for in both words, counts a quarter (`weight` 0.25) and should never be what a visitor is blocked by.
 * What is left of the minute stands in every answer: at 0 nothing is sent until it is over, as the vendor bans who goes on. IPv4 and IPv6.
 * Kept for 24 hours (this project's choice).
 *
 * @example
 * const provider = ipApi({ key: 'your-key' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` without a key, or for the free plan without `plainHttp`; `IPGUARD_OPTION_UNKNOWN`,
 * `IPGUARD_DURATION_INVALID`
 */
export function ipApi(options: IpApiOptions): Provider {
  const { scores } = options ?? {}
  const key = keyOf(options)
  checkScores(scores, 'ipApi')
  let pausedUntil = 0
  const provider = httpProvider({
    factory: 'ipApi',
    options,
    own: ['plan', 'key', 'plainHttp', 'scores'],
    defaults: {
      ttl: { verdict: '24h', unlisted: '24h' },
      ...(key === undefined
        ? { baseUrl: 'http://ip-api.com', quota: { perMinute: 45 }, weight: 0.25 }
        : { baseUrl: 'https://pro.ip-api.com' }),
    },
    secrets: key === undefined ? [] : [key],
    version: versionOf(key === undefined ? 'free' : 'pro', scores),
    plainHttp: key === undefined,
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/json/${encodeURIComponent(ip)}?${new URLSearchParams({ fields: FIELDS, ...(key !== undefined && { key }) }).toString()}`,
    }),
    retryAfter: (answer) => waitOf(answer),
    read(answer) {
      const left = number(answer.headers.get('x-rl'))
      if (left !== undefined && left <= 0) pausedUntil = performance.now() + (untilReset(answer.headers) ?? MINUTE)
      return read(object(answer.json()), scores, key !== undefined)
    },
  })
  return {
    ...provider,
    async lookup(ip, context) {
      const wait = Math.ceil(pausedUntil - performance.now())
      if (wait > 0) {
        const message = `${provider.name} was not asked: nothing is left of this minute.`
        throw new IpGuardError('IPGUARD_PROVIDER_QUOTA', message, { retryAfter: wait })
      }
      return provider.lookup(ip, context)
    },
  }
}

function keyOf(options: IpApiOptions): string | undefined {
  if (options.plan !== 'free') {
    if (options.plan !== undefined && options.plan !== 'pro')
      throw invalidOption('ipApi.plan', options.plan, "'pro' or 'free'")
    checkKey(options.key, 'ipApi.key')
    return options.key
  }
  if (options.plainHttp === true) return undefined
  throw invalidOption(
    'ipApi.plainHttp',
    options.plainHttp,
    "true, as the free plan has no https, or use plan 'pro' with a key",
  )
}

/** How long a 429 is to be waited for; `Retry-After` is read by whoever calls. */
function waitOf({ status, headers }: ProviderAnswer): number | undefined {
  if (status !== 429) return undefined
  return untilReset(headers) ?? (headers.has('retry-after') ? undefined : MINUTE)
}

/** `X-Ttl`: seconds until the vendor's window is over. More than an hour would be a mistake. */
function untilReset(headers: Headers): number | undefined {
  const seconds = number(headers.get('x-ttl'))
  return seconds === undefined || seconds < 0 ? undefined : Math.ceil(Math.min(seconds, 3_600) * 1_000)
}

function read(body: Fields, scores: Common['scores'], isHttps: boolean): Verdict | undefined {
  if (body.status !== 'success') {
    const { message } = body
    if (message === 'private range' || message === 'reserved range') return undefined
    const otherwise = body.status === 'fail' ? 'IPGUARD_PROVIDER_FAILED' : 'IPGUARD_PROVIDER_ANSWER'
    throw vendorError('ipApi', message, otherwise, isHttps)
  }
  const found = required(readFlags(body, FLAGS), 'proxy and hosting')
  return verdictOf(flagScore(found, scores), found)
}
