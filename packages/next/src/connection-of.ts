import type { IncomingMessage } from 'node:http'
import { nodeRequest, peerOf } from '@ipguard/node/request'
import type { Connection } from './connection.ts'

/** What a request of `node:http` tells, however Next has changed it since it arrived. */
export function connectionOf(request: IncomingMessage): Connection {
  const { socket, url = '/' } = request
  const arrived = {
    // Next writes to `headers`: an address of its own into an absent x-forwarded-for, for one.
    get headers() {
      return request.headersDistinct
    },
    get rawHeaders() {
      return request.rawHeaders
    },
    socket,
  }
  // As much of it as reading a header takes.
  const { headers } = nodeRequest(arrived as unknown as IncomingMessage)
  return { peer: peerOf(request), url, headers, requests: new Map() }
}
