import type { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { CONNECTIONS, type Connection, type Connections, findConnections } from './connection.ts'
import { connectionOf } from './connection-of.ts'

interface NodeConnections extends Connections {
  readonly storage: AsyncLocalStorage<Connection>
}

/** Marks a server whose upgrades are told. */
const TOLD: unique symbol = Symbol('ipguard.next.upgrades')

/** An import would have to be kept out of the bundle for the edge by hand; `globalThis`, because Next warns of `process.` in that bundle. */
const { process: host } = globalThis

/**
 * Tells ipguard the address of each connection, which Next hides: for `instrumentation.ts`, under `next start`, `next dev` and the
 * standalone server; or at the top of a custom server.
 *
 * Nothing is written to the request, so that no header can be forged and none is seen by the application. In the edge runtime, for which
 * Next loads `instrumentation.ts` too, it does nothing: the Node process around it tells both. Called twice, it works once.
 *
 * @example
 * import { registerPeer } from '@ipguard/next/peer'
 *
 * export function register() { registerPeer() }
 */
export function registerPeer(): void {
  if (process.env.NEXT_RUNTIME === 'edge') return
  const connections = openConnections()
  if (connections.registered) return
  connections.registered = true
  const { storage } = connections
  const { subscribe } = host.getBuiltinModule('node:diagnostics_channel')
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { readonly request: IncomingMessage } // Node's documentation of the channel
    storage.enterWith(connectionOf(request))
  })
  // WebSocket handshakes have no channel, and Next asks its proxy about them too.
  subscribe('net.server.socket', (message) => {
    const { socket } = message as { readonly socket: { readonly server?: Server } } // as above; `net` puts the server there
    if (socket.server) tellUpgrades(socket.server, storage)
  })
}

/**
 * Tells ipguard the address of each connection, which Next hides: around the request listener of a custom server, and around its upgrade
 * listener. To be called before Next loads the application, which `prepare` does.
 *
 * @example
 * const app = next({ dev: false })
 * const server = createServer(withPeer((request, response) => app.getRequestHandler()(request, response)))
 * await app.prepare()
 * server.listen(3000)
 */
export function withPeer<Result, Rest extends readonly unknown[] = [response: ServerResponse]>(
  listener: (request: IncomingMessage, ...rest: Rest) => Result,
): (request: IncomingMessage, ...rest: Rest) => Result {
  const { storage } = openConnections()
  return (request, ...rest) => storage.run(connectionOf(request), () => listener(request, ...rest))
}

function tellUpgrades(server: Server, storage: AsyncLocalStorage<Connection>): void {
  if (TOLD in server || !('maxHeadersCount' in server)) return // the second is how a server of HTTP is known
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean // all events, not each with its own types
  const tell = (event: string, ...args: unknown[]): boolean =>
    event === 'upgrade'
      ? storage.run(connectionOf(args[0] as IncomingMessage), () => emit(event, ...args))
      : emit(event, ...args)
  Object.assign(server, { emit: tell, [TOLD]: true })
}

function openConnections(): NodeConnections {
  const known = findConnections() as NodeConnections | undefined // made below, by this or another copy
  if (known) return known
  const { AsyncLocalStorage } = host.getBuiltinModule('node:async_hooks')
  const connections: NodeConnections = { storage: new AsyncLocalStorage(), registered: false }
  for (const holder of [globalThis, AsyncLocalStorage])
    Object.defineProperty(holder, CONNECTIONS, { value: connections })
  return connections
}
