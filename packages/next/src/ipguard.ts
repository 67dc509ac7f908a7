import {
  type AdapterOptions,
  type Awaitable,
  type Guard,
  type GuardOptions,
  type GuardRequest,
  isPromise,
  type RequestHandle,
} from '@ipguard/core'
import { type FetchAnswer, guardFetch } from '@ipguard/fetch'
import type { NextRequest } from 'next/server.js'
import { nameOnConnection, requestKey } from './connection.ts'
import { connectionFor, nextGuard } from './next-guard.ts'
import { pageNames } from './page-names.ts'
import { withoutForgeries } from './without-forgeries.ts'

/** What `ipguard` of Next.js takes beside the guard; `facts` reads its request. */
export type NextAdapterOptions<Facts = unknown> = AdapterOptions<NextRequest, Facts>

/** As much of the second argument of a proxy as is used. */
export interface NextEvent {
  waitUntil(work: Promise<unknown>): void
}

/** What `proxy.ts` or `middleware.ts` exports; `guard` is for `ban`, `status` and the like. */
export interface IpGuardProxy<Facts = unknown> {
  /** The refusal, or what `NextResponse.next()` answers, with the `RateLimit` headers. */
  (request: Request, event?: NextEvent): Awaitable<Response>
  /** The refusal only, to go before a proxy of one's own; undefined: go on. */
  readonly protect: (request: Request, event?: NextEvent) => Awaitable<Response | undefined>
  /** A route handler behind the guard; the handler gets the decision as its last argument. */
  readonly route: <Native extends Request, Context>(
    handler: RouteHandler<Native, Context>,
  ) => (request: Native, context: Context) => Promise<Response>
  readonly guard: Guard<Facts>
}

/** A route handler that is told the decision. */
export type RouteHandler<Native extends Request, Context> = (
  request: Native,
  context: Context,
  handle: RequestHandle,
) => Awaitable<Response>

/**
 * Guards a Next.js application: the default export of `proxy.ts` (Next 16) or `middleware.ts` (14 and 15), in the Node and the edge runtime.
 *
 * Takes the options of `createGuard`, with `memoryStore()` and warnings to the process or log as defaults, or a guard. Next hides the
 * connection, so `clientIp` must be one that needs none, or `@ipguard/next/peer` tell it; otherwise this throws, except under `next build`.
 * A request that claims to be Next's own (`x-middleware-subrequest`) is refused. An error in `facts` is the request's error.
 *
 * @example
 * export default ipguard({ clientIp: vercel(), policies: [rateLimit({ limit: 60, window: '60s' })] })
 * @throws {IpGuardError} `IPGUARD_PEER_MISSING` when no client could be found, as `createGuard` does, and `IPGUARD_OPTION_UNKNOWN`,
 * `IPGUARD_OPTION_INVALID` for the adapter's options
 */
export function ipguard<Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  adapterOptions: NextAdapterOptions<Facts> = {},
): IpGuardProxy<Facts> {
  const guard = nextGuard(optionsOrGuard, adapterOptions, 'ipguard')
  const asked = withoutForgeries(guard)

  function ask(request: Request, event?: NextEvent): Awaitable<FetchAnswer> {
    const { method, url, headers } = request // read first: under `next build` this tells Next that a route is not a static one
    const connection = connectionFor(guard)
    const facts = adapterOptions.facts?.(request as NextRequest) // Next calls this
    const { nextUrl } = request as Partial<NextRequest> // absent on a plain Request, as in tests of one's own
    const seen: GuardRequest = {
      method,
      url,
      get names() {
        const pages = nextUrl ? pageNames(new URL(url).pathname, nextUrl) : []
        return [...pages, ...nameOnConnection(connection, url)]
      },
      headers: connection?.headers ?? headers,
      native: requestKey(connection, method, url, nextUrl?.basePath) ?? request,
    }
    const info = {
      peer: connection?.peer,
      ...(facts !== undefined && { facts }),
      ...(event && { waitUntil: (work: Promise<unknown>) => event.waitUntil(work) }),
    }
    return guardFetch(asked, seen, info, adapterOptions)
  }
  const refusalOf = ({ refusal }: FetchAnswer): Response | undefined => refusal
  const goOn = ({ refusal, finish }: FetchAnswer): Response =>
    refusal ?? finish(new Response(null, { headers: { 'x-middleware-next': '1' } }))

  return Object.assign((request: Request, event?: NextEvent): Awaitable<Response> => after(ask(request, event), goOn), {
    guard,
    protect: (request: Request, event?: NextEvent) => after(ask(request, event), refusalOf),
    route:
      <Native extends Request, Context>(handler: RouteHandler<Native, Context>) =>
      async (request: Native, context: Context): Promise<Response> => {
        const { refusal, finish, handle } = await ask(request)
        return refusal ?? finish(await handler(request, context, handle))
      },
  })
}

function after<Out>(answer: Awaitable<FetchAnswer>, then: (answer: FetchAnswer) => Out): Awaitable<Out> {
  return isPromise(answer) ? answer.then(then) : then(answer)
}
