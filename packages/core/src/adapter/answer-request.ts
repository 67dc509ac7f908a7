import type { CheckInfo, Guard, RequestHandle } from '../guard/guard.ts'
import type { Decision } from '../policy/decision.ts'
import type { Reply } from '../policy/refusal.ts'
import { allowHeaders } from '../reply/render-reply.ts'
import type { GuardRequest } from '../request.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import type { AdapterOptions } from './adapter-options.ts'

/** What is to be done about a request. */
export interface AdapterAnswer {
  /** For the handler. */
  readonly handle: RequestHandle
  /** Sent in place of the handler's answer; undefined: go on. */
  readonly refusal: Reply | undefined
  /** For the handler's answer. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * What every adapter does between its framework's request and its framework's answer: asks the guard, and says what to send. Synchronous
 * when the decision is.
 *
 * @example
 * const { refusal, headers, handle } = await answerRequest(guard, request, { peer: '203.0.113.7' })
 */
export function answerRequest<Facts>(
  guard: Guard<Facts>,
  request: GuardRequest,
  info: CheckInfo<Facts>,
  options: Pick<AdapterOptions<never>, 'headers' | 'exposeHeaders'> = {},
): Awaitable<AdapterAnswer> {
  const decision = guard.check(request, info)
  return isPromise(decision)
    ? decision.then((late) => answerTo(guard, request, late, options))
    : answerTo(guard, request, decision, options)
}

function answerTo<Facts>(
  guard: Guard<Facts>,
  request: GuardRequest,
  decision: Decision,
  { headers: rateLimitHeaders = true, exposeHeaders = false }: Pick<AdapterOptions<never>, 'headers' | 'exposeHeaders'>,
): AdapterAnswer {
  const wanted = { rateLimitHeaders, exposeHeaders }
  return {
    handle: guard.handle(request, decision),
    refusal: guard.reply(decision, request, wanted),
    headers: allowHeaders(decision, wanted),
  }
}
