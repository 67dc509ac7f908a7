import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type AdapterOptions, answerRequest, checkAdapterOptions, type Guard } from '@ipguard/core'
import { nodeRequest } from './node-request.ts'
import { peerOf } from './peer-of.ts'
import { sendReply } from './send-reply.ts'

/**
 * Puts a guard in front of every `upgrade` listener of a server, those added later too: frameworks never see WebSocket handshakes.
 *
 * A refused handshake is answered with the refusal and the connection is closed; no listener hears of it. While an asynchronous decision is
 * made, what the client sends is kept for the listener. An error, as from `facts`, closes the connection. Answers the function that takes
 * the guard off.
 *
 * @example
 * const server = app.listen(3000)
 * guardUpgrade(server, guard)
 * new WebSocketServer({ server })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`
 */
export function guardUpgrade<Facts>(
  server: Pick<Server, 'emit'>,
  guard: Guard<Facts>,
  options: Pick<AdapterOptions<IncomingMessage, Facts>, 'facts'> = {},
): () => void {
  checkAdapterOptions(options, 'guardUpgrade')
  const emit = server.emit
  let active = true

  async function decide(request: IncomingMessage, socket: Duplex, goOn: () => void): Promise<void> {
    // Node has taken its own listener off, and a connection that breaks now would end the process.
    socket.on('error', ignore)
    try {
      const facts = options.facts?.(request)
      const info = { peer: peerOf(request), ...(facts !== undefined && { facts }) }
      const { refusal } = await answerRequest(guard, nodeRequest(request), info)
      if (socket.destroyed) return
      if (refusal) return refuse(request, socket, refusal)
      socket.off('error', ignore)
    } catch {
      socket.destroy()
      return
    }
    goOn()
  }

  // Listeners come and go, and `once` and `listenerCount` must go on as they do: only the event itself is held back.
  const guarded = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    const goOn = (): boolean => Boolean(Reflect.apply(emit, this, [event, ...args]))
    if (!active || event !== 'upgrade') return goOn()
    const [request, socket] = args as [IncomingMessage, Duplex] // what this event is documented to carry
    void decide(request, socket, goOn)
    return true
  }
  server.emit = guarded
  return () => {
    active = false
    // Unless somebody has wrapped it again: then ours stays, and lets everything pass.
    if (server.emit === guarded) server.emit = emit
  }
}

function refuse(request: IncomingMessage, socket: Duplex, refusal: Parameters<typeof sendReply>[1]): void {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  // Written for sockets; the streams that TLS and HTTP/2 put in their place have what it uses.
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
  response.once('finish', () => socket.end(() => socket.destroy()))
  socket.resume()
  sendReply(response, refusal)
}

function ignore(): void {}
