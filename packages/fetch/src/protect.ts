import { type Awaitable, type Guard, type GuardOptions, guardFrom } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { answerFetch } from './answer-fetch.ts'
import { checkFetchOptions, type FetchAdapterOptions, requirePeer } from './fetch-adapter-options.ts'
import type { HostArguments } from './fetch-host.ts'
import { warnHost } from './warn-host.ts'

/** What `protect` takes as its first argument; the function is for what is known at the first request only, such as a Worker's `env`. */
export type GuardSource<Facts, First, Second> =
  | GuardOptions<Facts>
  | Guard<Facts>
  | ((first: First, second: Second) => GuardOptions<Facts> | Guard<Facts>)

/**
 * Puts a guard in front of a Fetch handler, for every host that calls one: refused requests never reach it, the others do with what the host
 * passed behind the request, and their answers get the `RateLimit` headers. `handleOf(request)` is the handle.
 *
 * Takes a guard, the options of one (with `memoryStore()` and warnings of the host as defaults), or a function that makes either: it is
 * called once, at the first request, with what follows the request; if it throws, that request fails and the next one tries again. Errors in
 * `facts` and of the handler reject. A handler protected twice by one guard counts once.
 *
 * @example
 * Bun.serve({ fetch: protect(guard, (request) => new Response(`Hello, ${handleOf(request)?.decision.client?.ip}`), bunServe) })
 * export default { fetch: protect((env: Env) => createSiteGuard(env), (request, env) => answer(request, env), workers) }
 * @throws {IpGuardError} as `createGuard` does, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options, and
 * `IPGUARD_PEER_MISSING` when the client is the connection's address and no option names it
 */
export function protect<
  Facts = unknown,
  First = unknown,
  Second = unknown,
  Answer extends Response | undefined = Response,
>(
  source: GuardSource<Facts, First, Second>,
  handler: (request: Request, first: First, second: Second) => Awaitable<Answer>,
  options: FetchAdapterOptions<Facts, First, Second> = {},
): (request: Request, ...rest: HostArguments<First, Second>) => Promise<Answer | Response> {
  checkFetchOptions(options, 'protect')
  const guardFor = guardSource(source, options)
  return async (request, ...rest) => {
    // The host passes what these stand for, whether anybody reads it or not.
    const [first, second] = rest as unknown as [First, Second]
    return answerFetch(guardFor(first, second), options, () => handler(request, first, second), request, first, second)
  }
}

function guardSource<Facts, First, Second>(
  source: GuardSource<Facts, First, Second>,
  options: FetchAdapterOptions<Facts, First, Second>,
): (first: First, second: Second) => Guard<Facts> {
  const defaults = { createStore: memoryStore, onWarning: warnHost }
  if (typeof source === 'function') {
    let guard: Guard<Facts> | undefined
    return (first, second) => {
      guard ??= guardFrom(source(first, second), defaults)
      return guard
    }
  }
  const guard = guardFrom(source, defaults)
  requirePeer(guard, options)
  return () => guard
}
