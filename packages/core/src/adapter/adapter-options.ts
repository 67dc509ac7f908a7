import { checkOptions, invalidOption } from '../options.ts'

/** How an adapter treats requests; the same for every framework. `Native` is the framework's own request. */
export interface AdapterOptions<Native, Facts = unknown> {
  /** What the application knows of a request; policies receive it. @default none */
  readonly facts?: (native: Native) => Facts
  /** `RateLimit` and `RateLimit-Policy` on answers and refusals. @default true */
  readonly headers?: boolean
  /** Lets scripts of other origins read them and `Retry-After` (CORS). @default false */
  readonly exposeHeaders?: boolean
}

/**
 * Refuses unknown and impossible adapter options, when the adapter is created. `own` names the functions that this adapter takes beside
 * those of every adapter.
 *
 * @example
 * checkAdapterOptions(options, 'ipguard', ['peer'])
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`
 */
export function checkAdapterOptions(options: AdapterOptions<never>, owner: string, own: readonly string[] = []): void {
  checkOptions(options, ['facts', 'headers', 'exposeHeaders', ...own], owner)
  for (const key of ['facts', ...own]) {
    const value: unknown = Reflect.get(options, key)
    if (value !== undefined && typeof value !== 'function') throw invalidOption(`${owner}.${key}`, value, 'a function')
  }
  for (const key of ['headers', 'exposeHeaders'] as const) {
    const value = options[key]
    if (value !== undefined && typeof value !== 'boolean')
      throw invalidOption(`${owner}.${key}`, value, 'true or false')
  }
}
