import { isListHeader, mergeList, type Reply } from '@ipguard/core'
import type { NodeResponse } from './node-response.ts'

/**
 * Sends a refusal in place of the handler's answer. Headers set before stay, such as those of CORS.
 *
 * Does nothing when an answer has begun already.
 *
 * @example
 * const refusal = guard.reply(decision, nodeRequest(req))
 * if (refusal) sendReply(res, refusal)
 * @throws {TypeError} from Node, when `onRefused` made a header that HTTP cannot carry.
 */
export function sendReply(response: NodeResponse, { status, headers, body }: Reply): void {
  if (response.headersSent) return
  response.statusCode = status
  setHeaders(response, headers)
  // HEAD has no body, and the length of what GET would have is not known here.
  if (body !== '') response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}

/** Sets headers on an answer that has not begun. */
export function setHeaders(response: NodeResponse, headers: Readonly<Record<string, string>>): void {
  if (response.headersSent) return
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? ''
    const before = isListHeader(name) ? response.getHeader(name) : undefined
    response.setHeader(name, before === undefined ? value : mergeList(String(before), value))
  }
}
