import { type Category, invalidOption, type Provider } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpProvider } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'
import { type Fields, flag, object, optionalObject, required } from './read-json.ts'
import { oneLine } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

/** The options of `ipasis`. */
export interface IpasisOptions extends HttpProviderOptions {
  readonly key: string
  /** The current address of the API, or the older `/json/<ip>`, which takes its key in the query. @default 'v1' */
  readonly api?: 'v1' | 'json'
  /** A header is kept out of logs of servers between. @default 'header' with `v1`, 'query' with `json` */
  readonly keyIn?: 'header' | 'query'
  /** What each flag counts for, 0 to 100, where it differs. @default `FLAG_SCORES`, with proxy, vpn and abuse at 50 as in the vendor's sample */
  readonly scores?: Partial<Record<Category, number>>
}

/** The flags in both forms of the answer, without `is_`. */
const FLAGS: readonly (readonly [name: string, category: Category])[] = [
  ['proxy', 'proxy'],
  ['vpn', 'vpn'],
  ['tor', 'tor'],
  ['relay', 'relay'],
  ['hosting', 'hosting'],
  ['abuse', 'abuse'],
  ['crawler', 'crawler'],
  ['ai', 'crawler'],
]

/**
 * IPASIS (https://www.ipasis.com): what an address belongs to, as flags; a key is required.
 *
 * The vendor gives no score: this one is the sum of what each flag counts for. Flags that are missing are unknown; an answer without any is
 * none. Free plans are spoken of as 3,000 a month and as 100 a day: 100 a day are counted before they are sent, until `quota` says otherwise. IPv6 is
 * answered. Kept for 10 minutes, as in the vendor's sample.
 *
 * @example
 * reputation({ providers: [ipasis({ key: process.env.IPASIS_KEY ?? '' })], challenge: 50 })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function ipasis(options: IpasisOptions): Provider {
  const { key, api = 'v1', keyIn = api === 'v1' ? 'header' : 'query', scores } = options ?? {}
  const counted = { vpn: 50, proxy: 50, abuse: 50, ...scores }
  const provider = httpProvider({
    factory: 'ipasis',
    options,
    own: ['key', 'api', 'keyIn', 'scores'],
    defaults: {
      baseUrl: 'https://api.ipasis.com',
      timeout: '2s',
      ttl: { verdict: '10m', unlisted: '10m' },
      quota: { perDay: 100 },
    },
    secrets: typeof key === 'string' ? [key] : [],
    version: versionOf('', counted),
    request(ip, baseUrl) {
      const query = new URLSearchParams()
      if (api === 'v1') query.set('ip', ip)
      if (keyIn === 'query') query.set('key', key)
      const path = api === 'v1' ? '/v1/lookup' : `/json/${encodeURIComponent(ip)}`
      const url = `${baseUrl}${path}${query.size > 0 ? `?${query}` : ''}`
      return keyIn === 'header' ? { url, headers: { 'x-api-key': key } } : { url }
    },
    read(answer) {
      const fields = lowerKeys(object(answer.json()))
      const privacy = optionalObject(fields.privacy)
      const categories = categoriesOf(privacy ? lowerKeys(privacy) : fields)
      if (categories.length === 0) return undefined
      const service = privacy && oneLine(lowerKeys(privacy).service, 64)
      return { score: flagScore(categories, counted), categories, ...(service !== undefined && { detail: service }) }
    },
  })
  checkKey(key, 'ipasis.key')
  checkScores(scores, 'ipasis')
  if (api !== 'v1' && api !== 'json') throw invalidOption('ipasis.api', api, "'v1' or 'json'")
  if (keyIn !== 'header' && keyIn !== 'query') throw invalidOption('ipasis.keyIn', keyIn, "'header' or 'query'")
  return provider
}

function categoriesOf(fields: Fields): readonly Category[] {
  const known = FLAGS.flatMap(([name, category]) => {
    const value = flag(fields[`is_${name}`]) ?? flag(fields[name])
    return value === undefined ? [] : [{ value, category }]
  })
  required(known[0], 'any flag')
  return [...new Set(known.filter(({ value }) => value).map(({ category }) => category))]
}

/** The vendor writes `VPN`, `Vpn` and `vpn`. */
function lowerKeys(fields: Fields): Fields {
  return object(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value])))
}
