import { peerMissing } from '../peer-missing.ts'

/** As much of Bun's `Server` as is needed. */
export interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
  /** Undefined on a unix-domain socket. */
  readonly port?: number | undefined
}

interface BunServe {
  readonly peer: (request: Request, server: BunServer) => string | undefined
}

/**
 * For `Bun.serve`, which passes its server behind the request.
 *
 * @example
 * Bun.serve({ fetch: protect(guard, () => new Response('Hello'), bunServe) })
 */
export const bunServe: BunServe = {
  peer(request, server) {
    if (typeof server?.requestIP !== 'function')
      throw peerMissing('bunServe is given no server', 'fetch: (request, server) => guarded(request, server)')
    const address = server.requestIP(request)?.address
    if (address) return address
    return server.port === undefined ? 'unix' : undefined
  },
}
