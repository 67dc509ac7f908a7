import { type Awaitable, type CheckInfo, type Guard, IpGuardError, isPromise } from '@ipguard/core'
import { nodeRequest, peerOf } from '@ipguard/node/request'
import { type FetchAdapterOptions, noPeerOption } from './fetch-adapter-options.ts'
import { guardFetch } from './guard-fetch.ts'
import { setHandle } from './handle-of.ts'

/** The refusal, or what `next` answers with the `RateLimit` headers. */
export async function answerFetch<Facts, First, Second, Answer extends Response | undefined>(
  guard: Guard<Facts>,
  options: FetchAdapterOptions<Facts, First, Second>,
  next: () => Awaitable<Answer>,
  request: Request,
  first: First,
  second: Second,
): Promise<Answer | Response> {
  const { waitUntil, facts } = options
  const incoming = ifNeeded(guard, () => options.incoming?.(request, first, second))
  const peer = ifNeeded(guard, () => {
    if (options.peer) return options.peer(request, first, second)
    if (incoming) return peerOf(incoming)
    throw noPeerOption()
  })
  const info: CheckInfo<Facts> = {
    peer,
    ...(facts && { facts: facts(request, first, second) }),
    ...(waitUntil && { waitUntil: (work: Promise<unknown>) => waitUntil(work, request, first, second) }),
  }
  const view = incoming ? nodeRequest(incoming, request.url, request.method) : request
  const answer = guardFetch(guard, view, info, options)
  const { handle, refusal, finish } = isPromise(answer) ? await answer : answer
  setHandle(request, handle)
  if (refusal) return refusal
  const response = await next()
  // Bun's way to say that the connection is a WebSocket now.
  return response && finish(response)
}

/** A connection that nobody names is an error only for a guard that finds no client without one. */
function ifNeeded<T, Facts>({ needsPeer }: Guard<Facts>, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!needsPeer && error instanceof IpGuardError && error.code === 'IPGUARD_PEER_MISSING') return undefined
    throw error
  }
}
