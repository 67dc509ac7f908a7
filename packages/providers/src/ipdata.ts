import { type Category, IpGuardError, type Provider, type Verdict } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, list, object, optionalObject, required } from './read-json.ts'
import { fieldsOf, vendorError } from './vendor-error.ts'
import { inRange, oneLine, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `ipdata`. */
export interface IpdataOptions extends HttpProviderOptions {
  /** The account's key. It travels in the URL and appears in no error. */
  readonly key: string
  /** What each category counts for. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
}

const FLAGS: Readonly<Record<string, Category>> = {
  is_tor: 'tor',
  is_icloud_relay: 'relay',
  is_proxy: 'proxy',
  is_vpn: 'vpn',
  is_datacenter: 'hosting',
  is_known_attacker: 'abuse',
  is_known_abuser: 'abuse',
}
/** Each is set with some of the flags above: they count where nothing more exact is said. */
const SUMS: Readonly<Record<string, Category>> = { is_anonymous: 'proxy', is_threat: 'abuse' }

/**
 * ipdata.co: whether an address is a Tor exit, proxy, VPN, iCloud relay, data centre, known attacker or known abuser, and on which lists.
 *
 * A key is required. Free: 1,500 look-ups in any 24 hours, for non-commercial use; that is the default quota. IPv4 and IPv6. The score is
 * counted from the flags, or the vendor's threat score (paid plans) where that is higher. Status 403 means a quota that is used up, but also
 * a key that is not known: it is taken as the former, and the error says both. The data is renewed hourly; kept for 6 hours (this project's
 * choice).
 *
 * @example
 * const provider = ipdata({ key: 'your-key' })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` without a key; `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function ipdata(options: IpdataOptions): Provider {
  const { key, scores } = options ?? {}
  checkKey(key, 'ipdata.key')
  checkScores(scores, 'ipdata')
  return httpProvider({
    factory: 'ipdata',
    options,
    own: ['key', 'scores'],
    defaults: {
      baseUrl: 'https://api.ipdata.co',
      quota: { perDay: 1_500 },
      ttl: { verdict: '6h', unlisted: '6h' },
    },
    version: versionOf('', scores),
    secrets: [key],
    statuses: { 400: 'read', 403: 'read' },
    request: (ip, baseUrl) => ({
      url: `${baseUrl}/${encodeURIComponent(ip)}?${new URLSearchParams({ 'api-key': key }).toString()}`,
    }),
    read(answer) {
      if (answer.status === 403) {
        throw new IpGuardError(
          'IPGUARD_PROVIDER_QUOTA',
          'ipdata says that its quota is used up, or that it does not know the key.',
        )
      }
      const body = answer.status === 200 ? object(answer.json()) : fieldsOf(answer)
      if (answer.status !== 200 || !body || body.threat === undefined) {
        if (/\bis a (private|reserved)\b/i.test(oneLine(body?.message) ?? '')) return undefined
        throw vendorError(
          'ipdata',
          body?.message,
          answer.status === 200 ? 'IPGUARD_PROVIDER_ANSWER' : 'IPGUARD_PROVIDER_FAILED',
        )
      }
      return read(object(body.threat), scores)
    },
  })
}

function read(threat: Fields, scores: IpdataOptions['scores']): Verdict | undefined {
  if (flag(threat.is_bogon)) return undefined
  const flags = readFlags(threat, FLAGS)
  const sums = readFlags(threat, SUMS)
  const vendor = inRange(optionalObject(threat.scores)?.threat_score)
  required(flags ?? sums ?? vendor, 'threat flags')
  const found = new Set(flags)
  const isHidden = [...found].some((category) => category !== 'hosting' && category !== 'abuse')
  for (const category of sums ?? []) if (category === 'abuse' || !isHidden) found.add(category)
  return verdictOf(Math.max(flagScore([...found], scores), vendor ?? 0), [...found], {
    detail: listsOf(threat.blocklists),
  })
}

function listsOf(value: unknown): string | undefined {
  const names = (list(value) ?? []).slice(0, 3).flatMap((item) => oneLine(optionalObject(item)?.name, 40) ?? [])
  return names.length > 0 ? `on ${names.join(', ')}` : undefined
}
