import { checkOptions, type Duration, invalidOption, type Provider, parseDuration, type Quota } from '@ipguard/core'
import { checkBaseUrl } from './http/provider-url.ts'

/** What every provider that asks over HTTP takes. */
export interface HttpProviderOptions {
  /** Names it in decisions, metrics and stores. @default the factory's name */
  readonly name?: string
  /** How much its word counts, above 0 up to 1. @default 1 */
  readonly weight?: number
  /** How long answers are kept; what is left out stays as the factory documents. */
  readonly ttl?: Provider['ttl']
  /** The deadline of one look-up. @default '5s' unless the factory says otherwise */
  readonly timeout?: Duration
  /** In place of the quota that the factory documents; `{}` for none. */
  readonly quota?: Quota
  /** Where the source is: https, or http to this machine. */
  readonly baseUrl?: string
  /** In place of the runtime's own. */
  readonly fetch?: typeof fetch
}

/** The names of `HttpProviderOptions`. */
export const HTTP_PROVIDER_OPTIONS: readonly string[] = [
  'name',
  'weight',
  'ttl',
  'timeout',
  'quota',
  'baseUrl',
  'fetch',
]

/** Options with the factory's defaults, checked. */
export interface HttpSettings extends HttpProviderOptions {
  readonly name: string
  readonly baseUrl: string
  readonly timeout: Duration
}

interface Spec {
  readonly factory: string
  readonly options: HttpProviderOptions
  readonly own: readonly string[]
  readonly defaults: Pick<HttpProviderOptions, 'timeout' | 'ttl' | 'quota' | 'weight'> & { readonly baseUrl: string }
  readonly plainHttp?: boolean
}

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID` */
export function checkHttpOptions({ factory, options, own, defaults, plainHttp }: Spec): HttpSettings {
  checkOptions(options, [...HTTP_PROVIDER_OPTIONS, ...own], factory)
  const { fetch } = options
  const common = checkCommonOptions(factory, options, defaults)
  if (fetch !== undefined && typeof fetch !== 'function')
    throw invalidOption(`${factory}.fetch`, fetch, 'a function like fetch')
  return {
    ...common,
    baseUrl: checkBaseUrl(options.baseUrl ?? defaults.baseUrl, `${factory}.baseUrl`, plainHttp),
    ...(fetch && { fetch }),
  }
}

/** What every provider takes, however it asks. */
export type CommonOptions = Pick<HttpProviderOptions, 'name' | 'weight' | 'ttl' | 'timeout' | 'quota'>

/** These options with the factory's defaults, checked; the names of other options are not. */
export function checkCommonOptions(
  factory: string,
  options: CommonOptions,
  defaults: CommonOptions,
): Pick<Provider, 'name' | 'weight' | 'ttl' | 'quota'> & { readonly timeout: Duration } {
  const { name = defaults.name ?? factory, weight = defaults.weight, quota = defaults.quota } = options
  const timeout = options.timeout ?? defaults.timeout ?? '5s'
  parseDuration(timeout, `${factory}.timeout`)
  checkName(name, factory)
  if (weight !== undefined && !(typeof weight === 'number' && weight > 0 && weight <= 1)) {
    throw invalidOption(`${factory}.weight`, weight, 'a number above 0, up to 1')
  }
  checkTtl(options.ttl, factory)
  checkQuota(quota, `${factory}.quota`)
  const ttl = defaults.ttl || options.ttl ? { ...defaults.ttl, ...options.ttl } : undefined
  return {
    name,
    timeout,
    ...(weight !== undefined && { weight }),
    ...(ttl && { ttl }),
    ...(quota && { quota }),
  }
}

function checkName(name: unknown, factory: string): void {
  if (typeof name === 'string' && /^[\w.-]{1,64}$/.test(name)) return
  throw invalidOption(`${factory}.name`, name, 'up to 64 letters, digits, "-", "_" and "."')
}

function checkTtl(ttl: HttpProviderOptions['ttl'], factory: string): void {
  if (ttl === undefined) return
  checkOptions(ttl, ['verdict', 'unlisted', 'error'], `${factory}.ttl`)
  for (const [key, value] of Object.entries(ttl)) if (value !== undefined) parseDuration(value, `${factory}.ttl.${key}`)
}

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` */
export function checkQuota(
  quota: Quota | undefined,
  option: string,
  known: readonly string[] = ['perMinute', 'perDay'],
): void {
  if (quota === undefined) return
  checkOptions(quota, known, option)
  for (const [key, value] of Object.entries(quota)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw invalidOption(`${option}.${key}`, value, 'a whole number, 0 or more')
    }
  }
}

/**
 * Refuses what is no key: for factories whose vendor requires one. The key itself is never shown.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`
 */
export function checkKey(key: unknown, option: string): void {
  if (typeof key === 'string' && /^[\x21-\x7e]{1,512}$/.test(key)) return
  const received = typeof key === 'string' ? 'a text with blanks or other characters that no key has' : key
  throw invalidOption(option, received, 'the key that the vendor gave you')
}
