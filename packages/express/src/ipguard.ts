import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type AdapterAnswer,
  type AdapterOptions,
  type Awaitable,
  checkAdapterOptions,
  type Guard,
  type GuardOptions,
  guardFrom,
  isPromise,
  type RequestHandle,
  warningsOf,
} from '@ipguard/core'
import { guardRequest, observeTrust, warnProcess } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import type { Request } from 'express'

declare global {
  namespace Express {
    interface Request {
      /** The decision on this request, and what a handler can do about it. There behind `ipguard(...)`. */
      ipguard: RequestHandle
    }
  }
}

/** What `ipguard` of Express takes beside the guard; `facts` reads its request. */
export type ExpressAdapterOptions<Facts = unknown> = AdapterOptions<Request, Facts>

/** The middleware; `guard` is for `ban`, `status` and the like. */
export interface IpGuardMiddleware<Facts = unknown> {
  // The types of node:http: with those of Express a route's own parameters would no longer be inferred.
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  readonly guard: Guard<Facts>
}

/**
 * Guards an Express app, a router or one route: refused requests are answered here, the others go on with `req.ipguard`.
 *
 * Takes the options of `createGuard`, with `memoryStore()` and process warnings as defaults, or a guard. Mounted twice, it counts once.
 * `trust proxy` is not read: the client is the socket's address unless `clientIp` says otherwise. An error in `facts` goes to `next(error)`.
 *
 * @example
 * app.use(ipguard({ policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 60, window: '60s' })] }))
 * @throws {IpGuardError} as `createGuard` does, and `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options
 */
export function ipguard<Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  adapterOptions: ExpressAdapterOptions<Facts> = {},
): IpGuardMiddleware<Facts> {
  checkAdapterOptions(adapterOptions, 'ipguard')
  const guard = guardFrom(optionsOrGuard, { createStore: memoryStore, onWarning: warnProcess })
  const observe = observeTrust<Request>({
    onWarning: warningsOf(optionsOrGuard, warnProcess),
    setting: 'Express\'s "trust proxy"',
    example: "app.set('trust proxy', ['10.0.0.5/32'])",
    clientOf: (req) => (req.app?.get('trust proxy') ? req.ip : undefined),
  })

  function middleware(native: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    const req = native as Request // Express calls this
    // Whether the request may go on.
    const settle = ({ handle, refusal }: AdapterAnswer): boolean => {
      req.ipguard = handle
      observe(req, handle.decision)
      return refusal === undefined
    }
    let passed: Awaitable<boolean>
    try {
      const answer = guardRequest(guard, req, res, adapterOptions)
      passed = isPromise(answer) ? answer.then(settle) : settle(answer)
    } catch (error) {
      next(error)
      return
    }
    // Outside of what is caught: `next` is never called for an error of its own.
    if (isPromise(passed)) passed.then((late) => void (late && next()), next)
    else if (passed) next()
  }
  return Object.assign(middleware, { guard })
}
