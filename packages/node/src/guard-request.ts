import { type AdapterAnswer, type AdapterOptions, type Awaitable, type Guard, isPromise } from '@ipguard/core'
import { askGuard } from './ask-guard.ts'
import type { NodeIncoming } from './node-incoming.ts'
import type { NodeResponse } from './node-response.ts'
import { sendReply, setHeaders } from './send-reply.ts'

/**
 * The whole of an adapter for `node:http`, or for requests of `node:http2`: asks the guard, and sends the refusal or sets the `RateLimit` headers.
 *
 * Go on when the answer's `refusal` is undefined; otherwise the response is sent. Synchronous when the decision is.
 *
 * @example
 * createServer(async (req, res) => {
 *   const { refusal, handle } = await guardRequest(guard, req, res)
 *   if (!refusal) res.end(`Hello, ${handle.decision.client?.ip}`)
 * })
 */
export function guardRequest<Native extends NodeIncoming, Facts>(
  guard: Guard<Facts>,
  native: Native,
  response: NodeResponse,
  options: AdapterOptions<Native, Facts> = {},
): Awaitable<AdapterAnswer> {
  const answer = askGuard(guard, native, native, options)
  return isPromise(answer) ? answer.then((late) => send(response, late)) : send(response, answer)
}

function send(response: NodeResponse, answer: AdapterAnswer): AdapterAnswer {
  if (answer.refusal) sendReply(response, answer.refusal)
  else setHeaders(response, answer.headers)
  return answer
}
