import type { IncomingMessage } from 'node:http'
import {
  type AdapterAnswer,
  type AdapterOptions,
  checkAdapterOptions,
  type Guard,
  type GuardOptions,
  guardFrom,
  isPromise,
  type Reply,
  type RequestHandle,
  warningsOf,
} from '@ipguard/core'
import { askGuard, observeTrust, setHeaders, warnProcess } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import type { Context, Middleware, Next } from 'koa'

declare module 'koa' {
  interface DefaultState {
    /** The decision on this request, and what a handler can do about it. There behind `ipguard(...)`. */
    ipguard: RequestHandle
  }
}

/** What `ipguard` of Koa takes beside the guard; `facts` reads its context. */
export type KoaAdapterOptions<Facts = unknown> = AdapterOptions<Context, Facts>

/** The middleware; `guard` is for `ban`, `status` and the like. */
export type IpGuardMiddleware<Facts = unknown> = Middleware & { readonly guard: Guard<Facts> }

/**
 * Guards a Koa app, a router or one route: refused requests are answered here, the others go on with `ctx.state.ipguard`.
 *
 * Takes the options of `createGuard`, with `memoryStore()` and process warnings as defaults, or a guard. Mounted twice, it counts once.
 * `app.proxy` is not read: the client is the socket's address unless `clientIp` says otherwise. A refusal is an ordinary answer of Koa, which
 * middleware further out sees. An error in `facts` goes the way of every error in middleware.
 *
 * @example
 * app.use(ipguard({ policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 60, window: '60s' })] }))
 * @throws {IpGuardError} as `createGuard` does, and `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options
 */
export function ipguard<Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  adapterOptions: KoaAdapterOptions<Facts> = {},
): IpGuardMiddleware<Facts> {
  checkAdapterOptions(adapterOptions, 'ipguard')
  const guard = guardFrom(optionsOrGuard, { createStore: memoryStore, onWarning: warnProcess })
  const observe = observeTrust<Context>({
    onWarning: warningsOf(optionsOrGuard, warnProcess),
    setting: "Koa's app.proxy",
    example: 'app.proxy = true and app.maxIpsCount = 1',
    clientOf: (ctx) => (ctx.app.proxy ? ctx.ip : undefined),
  })

  function middleware(ctx: Context, next: Next): Promise<unknown> | undefined {
    const goOn = ({ handle, refusal, headers }: AdapterAnswer): Promise<unknown> | undefined => {
      ctx.state.ipguard = handle
      observe(ctx, handle.decision)
      if (refusal) return refuse(ctx, refusal)
      setHeaders(ctx.res, headers)
      return next()
    }
    const answer = askGuard(guard, ctx.req, ctx, adapterOptions, urlOf(ctx))
    return isPromise(answer) ? answer.then(goOn) : goOn(answer)
  }
  return Object.assign(middleware, { guard })
}

/** koa-mount cuts `ctx.req.url`, which `ctx.originalUrl` keeps; an Express around Koa has cut it before, and keeps it on the request. */
function urlOf({ req, originalUrl }: Context): string | undefined {
  return typeof (req as IncomingMessage & { readonly originalUrl?: unknown }).originalUrl === 'string'
    ? undefined
    : originalUrl
}

function refuse(ctx: Context, { status, headers, body }: Reply): undefined {
  if (ctx.headerSent) return
  ctx.status = status
  // Before the body: Koa guesses a type where there is none.
  setHeaders(ctx.res, headers)
  ctx.body = body
  // HEAD has no body, and the length of what GET would have is not known here.
  if (ctx.method === 'HEAD') ctx.remove('Content-Length')
}
