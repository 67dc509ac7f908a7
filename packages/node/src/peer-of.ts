import type { NodeIncoming } from './node-incoming.ts'

/**
 * The address of a request's connection, for `guard.check(request, { peer })`; never read from a header.
 *
 * `'unix'` on a server that listens on a unix-domain socket. Undefined when it is not known, as of a connection that is gone.
 *
 * @example
 * peerOf(req) // '203.0.113.7', or '::ffff:203.0.113.7' on a dual-stack listener
 */
export function peerOf({ socket }: Pick<NodeIncoming, 'socket'>): string | undefined {
  const { remoteAddress } = socket
  if (remoteAddress) return remoteAddress
  // A TCP connection that the peer has reset has no address either: only the listener tells it from a unix-domain socket.
  return !socket.destroyed && listensOnPath(socket) ? 'unix' : undefined
}

/** `net` puts the server on its sockets; a server that is closing keeps its path. */
function listensOnPath(socket: object): boolean {
  const { server } = socket as { readonly server?: { readonly address?: () => unknown } } // its types do not say so
  return typeof server?.address === 'function' && typeof server.address() === 'string'
}
