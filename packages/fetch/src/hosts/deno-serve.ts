import { peerMissing } from '../peer-missing.ts'

/** As much of `Deno.ServeHandlerInfo` as is needed. */
export interface DenoInfo {
  readonly remoteAddr: { readonly transport?: string; readonly hostname?: string }
}

interface DenoServe {
  readonly peer: (request: Request, info: DenoInfo) => string | undefined
}

/**
 * For `Deno.serve`, which passes what it knows of the connection behind the request.
 *
 * @example
 * Deno.serve(protect(guard, () => new Response('Hello'), denoServe))
 */
export const denoServe: DenoServe = {
  peer(_request, info) {
    if (!info?.remoteAddr)
      throw peerMissing('denoServe is given no info', 'Deno.serve((request, info) => guarded(request, info))')
    const { hostname, transport } = info.remoteAddr
    return transport?.startsWith('unix') ? 'unix' : hostname
  },
}
