import {
  type AdapterAnswer,
  type AdapterOptions,
  answerRequest,
  type CheckInfo,
  checkAdapterOptions,
  type Guard,
  type GuardOptions,
  guardFrom,
  isListHeader,
  isPromise,
  mergeList,
  type Reply,
  type RequestHandle,
} from '@ipguard/core'
import { warnHost, withHeaders } from '@ipguard/fetch'
import { memoryStore } from '@ipguard/store-memory'
import type { Context, MiddlewareHandler } from 'hono'
import { type Host, hostOf } from './host-of.ts'
import { type PeerOfContext, peerOfHost } from './peer-of-host.ts'
import { requestOf } from './request-of.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** The decision on this request, and what a handler can do about it. There behind `ipguard(...)`. */
    ipguard: RequestHandle
  }
}

/** What `ipguard` of Hono takes beside the guard; `facts` reads its context. */
export interface HonoAdapterOptions<Facts = unknown> extends AdapterOptions<Context, Facts> {
  /** The address of the connection, such as `getConnInfo` of the runtime. @default what `@hono/node-server`, Bun or Deno tells */
  readonly peer?: PeerOfContext
}

type HeaderValues = AdapterAnswer['headers']

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

  const middleware: MiddlewareHandler = (c, next) => {
    const host = hostOf(c)
    const info: { -readonly [Key in keyof CheckInfo<Facts>]: CheckInfo<Facts>[Key] } = {
      peer: peer ? addressOf(peer(c)) : peerOfHost(host, c.req.raw, guard.needsPeer),
    }
    // Node has nothing of the kind, and does not end with the response.
    if (!host.incoming) info.waitUntil = (work) => keepAlive(c, work)
    if (facts) info.facts = facts(c)

    const goOn = ({ handle, refusal, headers }: AdapterAnswer): ReturnType<MiddlewareHandler> => {
      c.set('ipguard', handle)
      if (refusal) return Promise.resolve(refuse(c, refusal))
      const left = host.outgoing ? setEarly(host.outgoing, headers) : headers
      return left ? next().then(() => finish(c, left)) : next()
    }
    const answer = answerRequest(guard, requestOf(host, c), info, adapterOptions)
    return isPromise(answer) ? answer.then(goOn) : goOn(answer)
  }
  return Object.assign(middleware, { guard })
}

function addressOf(answer: ReturnType<PeerOfContext>): string | undefined {
  return typeof answer === 'object' ? answer.remote.address : answer
}

/**
 * Sets headers on the server's own response: measured, that costs less than half of changing the handler's. Answers those that must wait
 * for it: lists that it may have begun.
 */
function setEarly(outgoing: NonNullable<Host['outgoing']>, headers: HeaderValues): HeaderValues | undefined {
  let lists: HeaderValues | undefined
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? ''
    if (isListHeader(name)) lists = { ...lists, [name]: value }
    else if (!outgoing.headersSent) outgoing.setHeader(name, value)
  }
  return lists
}

function finish(c: Context, headers: HeaderValues): void {
  const finished = withHeaders(c.res, headers)
  if (finished !== c.res) replace(c, finished)
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
