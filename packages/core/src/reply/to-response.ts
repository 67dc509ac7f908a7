import type { Decision } from '../policy/decision.ts'
import type { Reply } from '../policy/refusal.ts'
import type { GuardRequest } from '../request.ts'
import { type ReplyOptions, reply } from './render-reply.ts'

/**
 * The refusal as a Fetch `Response`, or undefined on `allow`.
 *
 * @example
 * const refused = toResponse(await guard.check(request, { peer }), request)
 * if (refused) return refused
 */
export function toResponse(
  decision: Decision,
  request: Pick<GuardRequest, 'method' | 'headers'>,
  options: Omit<ReplyOptions, 'accept' | 'method'> = {},
): Response | undefined {
  const refused = reply(decision, { ...options, accept: request.headers.get('accept'), method: request.method })
  return refused && replyResponse(refused)
}

/** A reply as a Fetch `Response`. */
export function replyResponse({ status, headers, body }: Reply): Response {
  return new Response(body === '' ? null : body, { status, headers: { ...headers } })
}
