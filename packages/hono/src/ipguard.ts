import {
  type AdapterOptions,
  answerRequest,
  type CheckInfo,
  checkAdapterOptions,
  type Guard,
  type GuardOptions,
  guardFrom,
  isListHeader,
  mergeList,
  type Reply,
  type RequestHandle,
} from '@ipguard/core'
import { warnHost, withHeaders } from '@ipguard/fetch'
import { memoryStore } from '@ipguard/store-memory'
import type { Context, MiddlewareHandler } from 'hono'
import { type PeerOfContext, peerOfContext } from './peer-of-context.ts'
import { requestOfContext } from './request-of-context.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** The decision on this request, and what a handler can do about it. There behind `ipguard(...)`. */
    ipguard: RequestHandle
  }
}

export interface HonoAdapterOptions<Facts = unknown> extends AdapterOptions<Context, Facts> {
  /** The address of the connection, such as `getConnInfo` of the runtime. @default what `@hono/node-server`, Bun or Deno tells */
  readonly peer?: PeerOfContext
}

/** The middleware; `guard` is for `ban`, `status` and the like. */
export interface IpGuardMiddleware<Facts = unknown> extends MiddlewareHandler {
  readonly guard: Guard<Facts>
}

/**
 * Guards a Hono app or some of its paths: refused requests are answered here, the others go on with `c.get('ipguard')`.
 *
 * Takes the options of `createGuard`, with `memoryStore()` and warnings of the host as defaults, or a guard. Mounted twice, it counts once.
 * An error in `facts` or `peer` goes to `app.onError`, and so does `IPGUARD_PEER_MISSING` on a runtime that names no connection.
 *
 * @example
 * app.use(ipguard({ policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 60, window: '60s' })] }))
 * @throws {IpGuardError} as `createGuard` does, and `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options
 */
export function ipguard<Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  adapterOptions: HonoAdapterOptions<Facts> = {},
): IpGuardMiddleware<Facts> {
  checkAdapterOptions(adapterOptions, 'ipguard', ['peer'])
  const guard = guardFrom(optionsOrGuard, { createStore: memoryStore, onWarning: warnHost })
  const { facts, peer } = adapterOptions

  const middleware: MiddlewareHandler = async (c, next) => {
    const info: CheckInfo<Facts> = {
      peer: peer ? addressOf(peer(c)) : peerOfContext(c, guard.needsPeer),
      waitUntil: (work) => keepAlive(c, work),
      ...(facts && { facts: facts(c) }),
    }
    const answer = answerRequest(guard, requestOfContext(c), info, adapterOptions)
    const { handle, refusal, headers } = answer instanceof Promise ? await answer : answer
    c.set('ipguard', handle)
    if (refusal) return refuse(c, refusal)
    await next()
    const finished = withHeaders(c.res, headers)
    if (finished !== c.res) replace(c, finished)
    return undefined
  }
  return Object.assign(middleware, { guard })
}

function addressOf(answer: ReturnType<PeerOfContext>): string | undefined {
  return typeof answer === 'object' ? answer.remote.address : answer
}

/** Only Workers and the like have a context for this; Hono throws on the others. */
function keepAlive(c: Context, work: Promise<unknown>): void {
  let context: Context['executionCtx'] | undefined
  try {
    context = c.executionCtx
  } catch {}
  context?.waitUntil(work)
}

/** Headers set before stay, such as those of CORS, but for those of the refusal. */
function refuse(c: Context, { status, headers, body }: Reply): Response {
  const own = { ...headers }
  for (const name of Object.keys(own).filter(isListHeader)) {
    const before = c.res.headers.get(name)
    if (before !== null) own[name] = mergeList(before, own[name] ?? '')
  }
  const response = c.newResponse(body === '' ? null : body, status as 403, own) // its type lists the statuses that Hono knows
  return replace(c, response)
}

/** Hono adds the headers of the old response to a new one, unless there is none. */
function replace(c: Context, response: Response): Response {
  c.res = undefined
  c.res = response
  return response
}
