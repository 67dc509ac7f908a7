import {
  type Category,
  checkOptions,
  IpGuardError,
  invalidOption,
  type Provider,
  parseDuration,
  type Verdict,
} from '@ipguard/core'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { HTTP_PROVIDER_OPTIONS, type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { type Fields, flag, number, object, required, text } from './read-json.ts'

/** The options of `getipintel`. */
export interface GetipintelOptions extends HttpProviderOptions {
  /** A real e-mail address at which the vendor reaches you; it bans those who make one up. */
  readonly contact: string
  /**
   * How it looks: `m` ban lists only, `b` and dynamic checks, `f` everything, which may take seconds; with `n` before it, without the
   * real-time block list. @default the vendor's own
   */
  readonly flags?: 'm' | 'b' | 'f' | 'n' | 'nm' | 'nb' | 'nf'
  /** What it tells beside: any of `b` bad address, `c` country, `i` relay or VPN, `a` network, `r` residential proxy. @default '' */
  readonly oflags?: string
  /**
   * From where on an address counts as bad for certain: a step, 0 = 100 %, 1 = 99.5 %, 2 = 99 %, 3 = 95 %, 4 = 90 %, or a probability from
   * 0.9 to below 1. @default 1
   */
  readonly certainty?: number
}

const OWN = ['contact', 'flags', 'oflags', 'certainty']

const STEPS = [1, 0.995, 0.99, 0.95, 0.9]

/** The vendor's word for longer: "no longer than 6 hours". */
const LONGEST = 6 * 3_600_000

/** From here on the vendor says "look closer". */
const SUSPICIOUS = 0.95

/**
 * getipintel.net: how likely an address is a proxy, a VPN or bad, as a probability. Free, with no key; `contact` is required.
 *
 * The probability is no percentage of badness: 0.5 is a coin flip. So the score is made of pieces: 0 up to 0.5; from there to 0.95 it rises
 * to 25; from 0.95 to `certainty` from 50 to 75; from `certainty` on it is 100. It never falls while the probability rises.
 *
 * 15 look-ups a minute and 500 a day are counted before they are sent, since the vendor bans; with a plan of your own set `quota` and
 * `baseUrl`. Answers are kept for 6 hours, the most that the vendor allows. IPv6 is answered in part.
 *
 * @example
 * reputation({ providers: [getipintel({ contact: 'ops@shop.example', oflags: 'bi' })] })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function getipintel(options: GetipintelOptions): Provider {
  const { contact, flags, oflags = '' } = checked(options)
  const certainty = certaintyOf(options.certainty ?? 1)
  return httpProvider({
    factory: 'getipintel',
    options,
    own: OWN,
    defaults: {
      baseUrl: 'https://check.getipintel.net',
      timeout: '5s',
      ttl: { verdict: '6h', unlisted: '6h' },
      quota: { perMinute: 15, perDay: 500 },
    },
    secrets: [contact],
    version: [flags ?? '', oflags, certainty].join('/'),
    request(ip, baseUrl) {
      const query = new URLSearchParams({ ip, contact, format: 'json' })
      if (flags !== undefined) query.set('flags', flags)
      if (oflags !== '') query.set('oflags', oflags)
      return { url: `${baseUrl}/check.php?${query}` }
    },
    // It says what is wrong in the body, with either status.
    statuses: { 400: 'read' },
    read: (answer) => verdictOf(fieldsOf(answer), certainty),
  })
}

function checked(options: GetipintelOptions): GetipintelOptions {
  checkOptions(options, [...HTTP_PROVIDER_OPTIONS, ...OWN], 'getipintel')
  const { contact, flags, oflags = '', ttl = {} } = options
  if (typeof contact !== 'string' || !/^[^\s@]{1,64}@[^\s@]+\.[^\s@.]{2,}$/.test(contact)) {
    // Not shown: it may be an address with a slip.
    const received = typeof contact === 'string' ? 'no e-mail address' : contact
    throw invalidOption('getipintel.contact', received, 'an e-mail address at which the vendor reaches you')
  }
  if (flags !== undefined && !/^(?:n?[mbf]|n)$/.test(flags)) {
    throw invalidOption('getipintel.flags', flags, "one of 'm', 'b', 'f', 'n', 'nm', 'nb', 'nf'")
  }
  if (typeof oflags !== 'string' || !/^[bciar]*$/.test(oflags) || new Set(oflags).size !== oflags.length) {
    throw invalidOption('getipintel.oflags', oflags, 'any of the letters b, c, i, a, r, each once')
  }
  for (const kind of ['verdict', 'unlisted'] as const) {
    if (parseDuration(ttl[kind] ?? LONGEST, `getipintel.ttl.${kind}`) > LONGEST) {
      throw invalidOption(`getipintel.ttl.${kind}`, ttl[kind], "at most '6h', which is what the vendor allows")
    }
  }
  return options
}

function certaintyOf(value: unknown): number {
  const step = typeof value === 'number' ? STEPS[value] : undefined
  if (step !== undefined) return step
  if (typeof value === 'number' && value >= 0.9 && value < 1) return value
  throw invalidOption('getipintel.certainty', value, 'a step from 0 to 4, or a probability from 0.9 to below 1')
}

/** A bare number is what it answers when it overlooks `format=json`; some errors come so. */
function fieldsOf(answer: ProviderAnswer): Fields {
  const bare = number(answer.text)
  return bare === undefined ? object(answer.json()) : { result: bare }
}

function verdictOf(fields: Fields, certainty: number): Verdict | undefined {
  const p = required(number(fields.result), 'a number as result')
  if (p < 0) throw refusal(p)
  required(p <= 1 ? p : undefined, 'a probability as result')
  const vpn = text(fields.VPNType, 64)?.toLowerCase() ?? 'none'
  const is = (condition: boolean, category: Category): readonly Category[] => (condition ? [category] : [])
  const categories = [
    ...is(p >= certainty, 'proxy'),
    ...is(flag(fields.BadIP) === true, 'abuse'),
    ...is(flag(fields.iCloudRelayEgress) === true || vpn === 'icloudrelayegress', 'relay'),
    ...is(flag(fields.GoogleOneVPN) === true || vpn.startsWith('google'), 'vpn'),
    ...is((number(fields.ResidentialProxy) ?? 0) >= certainty, 'residential-proxy'),
  ]
  const score = scoreOf(p, certainty)
  return score === 0 && categories.length === 0 ? undefined : { score, categories }
}

function scoreOf(p: number, certainty: number): number {
  if (p >= certainty) return 100
  if (p >= SUSPICIOUS) return 50 + (25 * (p - SUSPICIOUS)) / (certainty - SUSPICIOUS)
  return p > 0.5 ? (25 * (p - 0.5)) / (SUSPICIOUS - 0.5) : 0
}

const REASONS: Readonly<Record<number, string>> = {
  [-1]: 'it was given no address',
  [-2]: 'it does not take this address',
  [-3]: 'it does not know private addresses',
  [-4]: 'its database is being updated',
  [-5]: 'this server is banned, or not permitted',
  [-6]: 'it does not accept `contact`',
}

/** Asking on with -5 or -6 prolongs a ban. */
function refusal(code: number): IpGuardError {
  const reason = REASONS[code]
  if (reason === undefined)
    return new IpGuardError('IPGUARD_PROVIDER_ANSWER', 'getipintel answered with an unknown code.')
  const isFinal = code === -5 || code === -6
  return new IpGuardError(
    isFinal ? 'IPGUARD_PROVIDER_REFUSED' : 'IPGUARD_PROVIDER_FAILED',
    `getipintel answered with ${code}: ${reason}.`,
  )
}
