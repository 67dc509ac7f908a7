import { type AdapterAnswer, type AdapterOptions, type Awaitable, answerRequest, type Guard } from '@ipguard/core'
import type { NodeIncoming } from './node-incoming.ts'
import { nodeRequest } from './node-request.ts'
import { peerOf } from './peer-of.ts'

/**
 * What an adapter for a Node framework does before it answers: asks the guard about the request of `node:http` that the framework's own
 * request, `native`, stands for. Sends nothing. Synchronous when the decision is.
 *
 * `url` is the one that rules about paths see, where `nodeRequest` would not find it; rules that refuse hold for that of the request too.
 *
 * @example
 * const { refusal, headers, handle } = await askGuard(guard, ctx.req, ctx, options)
 */
export function askGuard<Native, Facts>(
  guard: Guard<Facts>,
  request: NodeIncoming,
  native: Native,
  options: AdapterOptions<Native, Facts> = {},
  url?: string,
): Awaitable<AdapterAnswer> {
  const facts = options.facts?.(native)
  const peer = peerOf(request)
  return answerRequest(guard, nodeRequest(request, url), facts === undefined ? { peer } : { peer, facts }, options)
}
