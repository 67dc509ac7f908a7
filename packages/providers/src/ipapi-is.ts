import type { Category, Provider, Verdict } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, object, optionalObject, required } from './read-json.ts'
import { fieldsOf, vendorError } from './vendor-error.ts'
import { inRange, oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `ipapiIs`. */
export interface IpapiIsOptions extends HttpProviderOptions {
  /** The account's key. It travels in the URL and appears in no error. @default none: the free quota without an account */
  readonly key?: string
  /** What each category counts for. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const FLAGS: Readonly<Record<string, Category>> = {
  is_datacenter: 'hosting',
  is_tor: 'tor',
  is_proxy: 'proxy',
  is_vpn: 'vpn',
  is_abuser: 'abuse',
}

/**
 * ipapi.is: whether an address is a data centre, Tor exit, proxy, VPN, abuser or crawler. (Not ipapi.co or ipapi.com.)
 *
 * Free: 1,000 look-ups a day, the default quota. IPv4 and IPv6. Probes saw about one request in ten hang, and public resolvers flagged as
 * VPNs: the deadline is 1 s and the weight 0.5. A crawler scores 0. Kept for 6 hours (this project's choice).
 *
 * @example
 * const provider = ipapiIs()
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function ipapiIs(options: IpapiIsOptions = {}): Provider {
  const { key, scores } = options ?? {}
  if (key !== undefined) checkKey(key, 'ipapiIs.key')
  checkScores(scores, 'ipapiIs')
  return httpProvider({
    factory: 'ipapiIs',
    options,
    own: ['key', 'scores'],
    defaults: {
      baseUrl: 'https://api.ipapi.is',
      timeout: '1s',
      weight: 0.5,
      quota: { perDay: 1_000 },
      ttl: { verdict: '6h', unlisted: '6h' },
    },
    version: versionOf('', scores),
    secrets: key === undefined ? [] : [key],
    statuses: { 400: 'read' },
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/?${new URLSearchParams({ q: ip, ...(key !== undefined && { key }) }).toString()}`,
    }),
    read(answer) {
      const body = answer.status === 200 ? object(answer.json()) : fieldsOf(answer)
      if (answer.status !== 200 || !body || body.error !== undefined) {
        throw vendorError('ipapiIs', body?.error, 'IPGUARD_PROVIDER_FAILED')
      }
      return read(body, scores)
    },
  })
}

function read(body: Fields, scores: IpapiIsOptions['scores']): Verdict | undefined {
  if (flag(body.is_bogon)) return undefined
  if (isCrawler(body.is_crawler)) return verdictOf(0, ['crawler'], { detail: oneLine(body.is_crawler) })
  const found = required(readFlags(body, FLAGS), 'flags')
  if (found.length === 0) return undefined
  return verdictOf(flagScore(found, scores), found, { detail: detailOf(body) })
}

/** A flag, or the crawler's name. */
function isCrawler(value: unknown): boolean {
  return flag(value) ?? oneLine(value) !== undefined
}

/** Whose address it is, and the share of its network that the vendor holds for abusers: "0.0045 (Low)". */
function detailOf(body: Fields): string | undefined {
  const company = optionalObject(body.company)
  const owner = oneLine(optionalObject(body.datacenter)?.datacenter) ?? oneLine(company?.name)
  const share = inRange((oneLine(company?.abuser_score) ?? '').split('(')[0], 1)
  const abuse = share === undefined ? undefined : `abuser score of the network ${share}`
  return [owner, abuse].filter((part) => part !== undefined).join(', ') || undefined
}
