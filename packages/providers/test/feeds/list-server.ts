import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface ListServer extends AsyncDisposable {
  readonly url: string
  /** The requests so far. */
  readonly requests: readonly IncomingMessage[]
  /** What is answered from now on. */
  answer: Answer
}

/** A server on 127.0.0.1 that serves whatever it is told to. */
export async function listServer(answer: Answer): Promise<ListServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    self.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const self: ListServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`,
    requests,
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return self
}

/** Serves a text as it is. */
export function text(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => response.writeHead(200, { 'content-type': 'text/plain', ...headers }).end(body)
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => response.writeHead(code, headers).end('no')
}
