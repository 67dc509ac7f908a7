import type { Provider, Verdict } from '@ipguard/core'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { createSend, type HttpRequest, type Send, type Statuses } from './http/send.ts'
import { checkHttpOptions, type HttpProviderOptions } from './http-provider-options.ts'

export type { HttpRequest, Send, Statuses } from './http/send.ts'
export { HTTP_PROVIDER_OPTIONS, type HttpProviderOptions } from './http-provider-options.ts'

/** What makes one source different from another. */
export interface HttpProviderSpec {
  /** The factory's name: of the provider unless `options.name` is given, and in errors. */
  readonly factory: string
  readonly options: HttpProviderOptions
  /** Options of this factory beside `HTTP_PROVIDER_OPTIONS`. */
  readonly own: readonly string[]
  readonly defaults: Pick<HttpProviderOptions, 'timeout' | 'ttl' | 'quota' | 'weight'> & { readonly baseUrl: string }
  /** Appear in no error. */
  readonly secrets?: readonly string[]
  /** Changes with the settings that change answers. */
  readonly version?: string
  /** Plain http is allowed to any host: for a server of one's own network. @default false: to this machine only */
  readonly plainHttp?: boolean
  supports?(ip: string): boolean
  /** `ip` is canonical; encode it with `encodeURIComponent` or `URLSearchParams`. `baseUrl` has no slash at its end. */
  request(ip: string, baseUrl: string): HttpRequest
  /** A verdict, or undefined for "not listed". Whatever it throws that is no IpGuardError becomes `IPGUARD_PROVIDER_ANSWER`. */
  read(answer: ProviderAnswer, ip: string): Verdict | undefined
  /** What a status means, beside 200 (read), 401 and 403 (refused), 429 (quota) and all others (failed). */
  readonly statuses?: Statuses
  /** How long to wait by what the vendor says in its own words, in ms; `Retry-After` is read without it. */
  retryAfter?(answer: ProviderAnswer): number | undefined
}

/**
 * A provider that asks over HTTP: options checked, the request sent within the limits of `providerFetch`, the status judged, the answer read.
 *
 * @example
 * const mine = (options: HttpProviderOptions & { key: string }) => httpProvider({
 *   factory: 'mine', options, own: ['key'], secrets: [options.key], defaults: { baseUrl: 'https://reputation.example' },
 *   request: (ip, baseUrl) => ({ url: `${baseUrl}/v1/${encodeURIComponent(ip)}`, headers: { 'x-key': options.key } }),
 *   read: (answer) => ({ score: required(number(object(answer.json()).score), 'a score') }),
 * })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function httpProvider(spec: HttpProviderSpec): Provider {
  return httpSource(spec).provider
}

/** What `httpProvider` makes, and the way that it asks: for providers that also report. */
export function httpSource(spec: HttpProviderSpec): {
  readonly provider: Provider
  readonly send: Send
  readonly baseUrl: string
} {
  const settings = checkHttpOptions(spec)
  const send = createSend(settings, spec)
  const { name, baseUrl, weight, ttl, timeout, quota } = settings
  const provider: Provider = {
    name,
    ...(weight !== undefined && { weight }),
    ...(ttl && { ttl }),
    ...(quota && { quota }),
    ...(spec.version !== undefined && { version: spec.version }),
    ...(spec.supports && { supports: (ip) => spec.supports?.(ip) ?? true }),
    timeout,
    async lookup(ip, context) {
      return send(spec.request(ip, baseUrl), context, (answer) => spec.read(answer, ip))
    },
  }
  return { provider, send, baseUrl }
}
