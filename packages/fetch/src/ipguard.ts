import { type Awaitable, type Guard, type GuardOptions, guardFrom } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { answerFetch } from './answer-fetch.ts'
import { checkFetchOptions, type FetchAdapterOptions, requirePeer } from './fetch-adapter-options.ts'
import type { HostArguments } from './fetch-host.ts'
import { warnHost } from './warn-host.ts'

/** Middleware from a request to a response; `guard` is for `ban`, `status` and the like. */
export interface IpGuardFetch<Facts = unknown, First = unknown, Second = unknown> {
  <Answer extends Response | undefined>(
    request: Request,
    next: () => Awaitable<Answer>,
    ...rest: HostArguments<First, Second>
  ): Promise<Answer | Response>
  readonly guard: Guard<Facts>
}

/**
 * Guards what has a `Request` and a `next` that answers a `Response`, such as a hook of SvelteKit or middleware of h3: answers the refusal,
 * or what `next` answers with the `RateLimit` headers. `handleOf(request)` is the handle.
 *
 * Takes the options of `createGuard`, with `memoryStore()` and warnings of the host as defaults, or a guard. Mounted twice, it counts once.
 * An error in `facts` and of `next` rejects.
 *
 * @example
 * const guarded = ipguard({ policies: [rateLimit({ limit: 60, window: '60s' })] }, { peer: (_request, event) => event.getClientAddress() })
 * export const handle = ({ event, resolve }) => guarded(event.request, () => resolve(event), event)
 * @throws {IpGuardError} as `createGuard` does, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options, and
 * `IPGUARD_PEER_MISSING` when the client is the connection's address and no option names it
 */
export function ipguard<Facts = unknown, First = unknown, Second = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  options: FetchAdapterOptions<Facts, First, Second> = {},
): IpGuardFetch<Facts, First, Second> {
  checkFetchOptions(options, 'ipguard')
  const guard = guardFrom(optionsOrGuard, { createStore: memoryStore, onWarning: warnHost })
  requirePeer(guard, options)
  const middleware = <Answer extends Response | undefined>(
    request: Request,
    next: () => Awaitable<Answer>,
    ...rest: HostArguments<First, Second>
  ): Promise<Answer | Response> => answerFetch(guard, options, next, request, ...(rest as unknown as [First, Second]))
  return Object.assign(middleware, { guard })
}
