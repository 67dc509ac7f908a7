import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** Told of each connection that a server of this process accepts, before anybody else is. */
const CHANNEL = 'net.server.socket'

/**
 * While `run` does, connections that this process accepts do not say where they come from, as Node's do once they are broken
 * (documentation of `socket.remoteAddress`).
 */
export async function withoutPeer<Result>(run: () => Promise<Result>): Promise<Result> {
  const hide = (message: unknown): void => {
    const { socket } = message as { readonly socket: object } // what this channel is documented to carry
    Object.defineProperty(socket, 'remoteAddress', { value: undefined })
  }
  subscribe(CHANNEL, hide)
  try {
    return await run()
  } finally {
    unsubscribe(CHANNEL, hide)
  }
}
