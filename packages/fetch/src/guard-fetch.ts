import {
  type AdapterAnswer,
  type AdapterOptions,
  type Awaitable,
  answerRequest,
  type CheckInfo,
  type Guard,
  type GuardRequest,
  isPromise,
  type RequestHandle,
  replyResponse,
} from '@ipguard/core'
import { withHeaders } from './with-headers.ts'

/** What is to be done about a request. */
export interface FetchAnswer {
  /** For the handler. */
  readonly handle: RequestHandle
  /** Answered in place of the handler's response; undefined: go on. */
  readonly refusal: Response | undefined
  /** The handler's response with the `RateLimit` headers. */
  readonly finish: (response: Response) => Response
}

/**
 * Asks the guard about a Fetch request: what every adapter of a Fetch framework is made of. No body is read. Synchronous when the decision
 * is.
 *
 * `request` may be a view: then its `native` is the framework's own `Request`, by which it is remembered.
 *
 * @example
 * const { refusal, finish } = await guardFetch(guard, request, { peer })
 * return refusal ?? finish(await handler(request))
 */
export function guardFetch<Facts>(
  guard: Guard<Facts>,
  request: GuardRequest,
  info: CheckInfo<Facts>,
  options: Pick<AdapterOptions<never>, 'headers' | 'exposeHeaders'> = {},
): Awaitable<FetchAnswer> {
  const answer = answerRequest(guard, request, info, options)
  return isPromise(answer) ? answer.then(toFetch) : toFetch(answer)
}

function toFetch({ handle, refusal, headers }: AdapterAnswer): FetchAnswer {
  return { handle, refusal: refusal && replyResponse(refusal), finish: (response) => withHeaders(response, headers) }
}
