import type { RequestListener, Server } from 'node:http'
import { createServer, type ServerHttp2Session } from 'node:http2'

/** Makes the server of a driver of the adapter suite. */
export type CreateServer = (options: object, listener: RequestListener) => Server

/** One of `node:http2` without TLS, with its compatibility API; `closeAllConnections` as that of `node:http` has it. */
export const http2Server: CreateServer = (options, listener) => {
  // The types of the two APIs are apart; frameworks that take both read what both have.
  const server = createServer(options, listener as unknown as Parameters<typeof createServer>[1])
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  const closeAllConnections = (): void => {
    for (const session of sessions) session.destroy()
  }
  return Object.assign(server, { closeAllConnections }) as unknown as Server
}
