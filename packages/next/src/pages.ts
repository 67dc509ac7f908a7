import {
  type AdapterAnswer,
  type AdapterOptions,
  answerRequest,
  checkAdapterOptions,
  type Guard,
  type GuardOptions,
  guardFrom,
  type RequestHandle,
} from '@ipguard/core'
import { sendReply, setHeaders, warnProcess } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import type { NextApiRequest, NextApiResponse } from 'next'
import { findConnections, nameOnConnection, requestKey } from './connection.ts'
import { connectionOf } from './connection-of.ts'

/** An API route of the pages router that is told the decision. */
export type ApiHandler<Body> = (
  request: NextApiRequest,
  response: NextApiResponse<Body>,
  handle: RequestHandle,
) => unknown

/**
 * Guards an API route of the pages router (`pages/api`) in the Node runtime; there the connection is known without `registerPeer`.
 *
 * Takes a guard, or the options of `createGuard` with `memoryStore()` and process warnings as defaults. A refused request does not reach the
 * handler. Next has read the body by then: guard large uploads in the proxy.
 *
 * @example
 * export default guardApi(guard, (request, response, { decision }) => {
 *   response.json({ ip: decision.client?.ip })
 * })
 * @throws {IpGuardError} as `createGuard` does, and `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options
 */
export function guardApi<Body = unknown, Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  handler: ApiHandler<Body>,
  adapterOptions: AdapterOptions<NextApiRequest, Facts> = {},
): (request: NextApiRequest, response: NextApiResponse<Body>) => Promise<void> {
  checkAdapterOptions(adapterOptions, 'guardApi')
  const guard = guardFrom(optionsOrGuard, { createStore: memoryStore, onWarning: warnProcess })
  return async (request, response) => {
    const { refusal, headers, handle } = await ask(guard, request, adapterOptions)
    if (refusal) {
      sendReply(response, refusal)
      return
    }
    setHeaders(response, headers)
    await handler(request, response, handle)
  }
}

async function ask<Facts>(
  guard: Guard<Facts>,
  request: NextApiRequest,
  options: AdapterOptions<NextApiRequest, Facts>,
): Promise<AdapterAnswer> {
  const { method = 'GET', url = '/' } = request
  const known = findConnections()?.storage.getStore()
  const { peer, headers } = known ?? connectionOf(request)
  const facts = options.facts?.(request)
  const seen = {
    method,
    url,
    names: nameOnConnection(known, url),
    headers,
    native: requestKey(known, method, url) ?? request,
  }
  return answerRequest(guard, seen, { peer, ...(facts !== undefined && { facts }) }, options)
}
