import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Awaitable,
  allowHeaders,
  checkOptions,
  type Decision,
  type Guard,
  invalidOption,
  type Reply,
  type RequestHandle,
} from '@ipguard/core'
import { nodeRequest } from './node-request.ts'
import { peerOf } from './peer-of.ts'
import { sendReply, setHeaders } from './send-reply.ts'

/** How an adapter treats requests; the same for every framework. */
export interface NodeAdapterOptions<Native = IncomingMessage, Facts = unknown> {
  /** What the application knows of a request; policies receive it. @default none */
  readonly facts?: (native: Native) => Facts
  /** `RateLimit` and `RateLimit-Policy` on answers and refusals. @default true */
  readonly headers?: boolean
  /** Lets scripts of other origins read them and `Retry-After` (CORS). @default false */
  readonly exposeHeaders?: boolean
}

/** What is to be done about a request. */
export interface NodeAnswer {
  /** For the handler. */
  readonly handle: RequestHandle
  /** Sent in place of the handler's answer; undefined: go on. */
  readonly refusal: Reply | undefined
  /** For the handler's answer. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Refuses unknown and impossible adapter options, when the adapter is created.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`
 */
export function checkAdapterOptions(options: NodeAdapterOptions<never>, owner: string): void {
  checkOptions(options, ['facts', 'headers', 'exposeHeaders'], owner)
  const { facts, headers, exposeHeaders } = options
  if (facts !== undefined && typeof facts !== 'function') throw invalidOption(`${owner}.facts`, facts, 'a function')
  for (const [key, value] of Object.entries({ headers, exposeHeaders })) {
    if (value !== undefined && typeof value !== 'boolean')
      throw invalidOption(`${owner}.${key}`, value, 'true or false')
  }
}

/**
 * Asks the guard about a request and says what to send, without sending it. Synchronous when the decision is.
 *
 * @example
 * const { refusal, headers, handle } = await answerRequest(guard, req, undefined)
 */
export function answerRequest<Facts>(
  guard: Guard<Facts>,
  native: IncomingMessage,
  facts: Facts | undefined,
  options: Pick<NodeAdapterOptions, 'headers' | 'exposeHeaders'> = {},
): Awaitable<NodeAnswer> {
  const request = nodeRequest(native)
  const wanted = { rateLimitHeaders: options.headers ?? true, exposeHeaders: options.exposeHeaders ?? false }
  const answer = (decision: Decision): NodeAnswer => ({
    handle: guard.handle(request, decision),
    refusal: guard.reply(decision, request, wanted),
    headers: allowHeaders(decision, wanted),
  })
  const peer = peerOf(native)
  const decision = guard.check(request, facts === undefined ? { peer } : { peer, facts })
  return isPromise(decision) ? decision.then(answer) : answer(decision)
}

/**
 * The whole of an adapter for `node:http`: asks the guard, and sends the refusal or sets the `RateLimit` headers.
 *
 * Go on when the answer's `refusal` is undefined; otherwise the response is sent. Synchronous when the decision is.
 *
 * @example
 * createServer(async (req, res) => {
 *   const { refusal, handle } = await guardRequest(guard, req, res)
 *   if (!refusal) res.end(`Hello, ${handle.decision.client?.ip}`)
 * })
 */
export function guardRequest<Native extends IncomingMessage, Facts>(
  guard: Guard<Facts>,
  native: Native,
  response: ServerResponse,
  options: NodeAdapterOptions<Native, Facts> = {},
): Awaitable<NodeAnswer> {
  const send = (answer: NodeAnswer): NodeAnswer => {
    if (answer.refusal) sendReply(response, answer.refusal)
    else setHeaders(response, answer.headers)
    return answer
  }
  const answer = answerRequest(guard, native, options.facts?.(native), options)
  return isPromise(answer) ? answer.then(send) : send(answer)
}

function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}
