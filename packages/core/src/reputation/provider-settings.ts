import { type Duration, parseDuration } from '../duration.ts'
import { checkOptions, checkWhole, invalidOption } from '../options.ts'
import type { Provider } from './provider.ts'
import { LONGEST_TTL } from './read-verdict.ts'

/** What a provider says of itself, checked and in milliseconds. */
export interface ProviderSettings {
  readonly weight: number
  readonly ttl: { readonly verdict: number; readonly unlisted: number; readonly error: number }
  readonly timeout: number
  readonly version: string
}

/** Of a provider with a quota, in ms: the count has to know how late a look-up may arrive. */
export const LONGEST_TIMEOUT = 10_000

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID` */
export function providerSettings(provider: Provider, option: string): ProviderSettings {
  if (typeof provider !== 'object' || provider === null || typeof provider.lookup !== 'function')
    throw invalidOption(option, provider, 'a provider: { name, lookup(ip, { signal }) }')
  const { name, weight = 1, ttl = {}, timeout = '5s', version = '', quota, local } = provider
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name))
    throw invalidOption(`${option}.name`, name, 'up to 64 letters, digits, "-", "_" and "."')
  checkWeight(weight, `${option}.weight`)
  checkOptions(ttl, ['verdict', 'unlisted', 'error'], `${option}.ttl`)
  if (typeof version !== 'string' || version.length > 128)
    throw invalidOption(`${option}.version`, version, 'a text of up to 128 characters')
  if (local !== undefined && typeof local !== 'boolean') throw invalidOption(`${option}.local`, local, 'true or false')
  for (const [key, value] of ['supports', 'close'].map((each) => [each, Reflect.get(provider, each)] as const))
    if (value !== undefined && typeof value !== 'function') throw invalidOption(`${option}.${key}`, value, 'a function')
  if (quota !== undefined) {
    checkOptions(quota, ['perMinute', 'perDay'], `${option}.quota`)
    for (const [key, value] of Object.entries(quota)) checkWhole(`${option}.quota.${key}`, value, 1)
  }
  const kept = (key: keyof typeof ttl, standard: Duration): number =>
    Math.min(LONGEST_TTL, parseDuration(ttl[key] ?? standard, `${option}.ttl.${key}`))
  return {
    weight,
    ttl: { verdict: kept('verdict', '1h'), unlisted: kept('unlisted', '1h'), error: kept('error', '60s') },
    timeout: Math.min(
      parseDuration(timeout, `${option}.timeout`),
      (quota?.perMinute ?? quota?.perDay) ? LONGEST_TIMEOUT : Number.POSITIVE_INFINITY,
    ),
    version,
  }
}

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID` */
export function checkWeight(weight: unknown, option: string): void {
  if (!(typeof weight === 'number' && weight > 0 && weight <= 1))
    throw invalidOption(option, weight, 'a number above 0 up to 1')
}
