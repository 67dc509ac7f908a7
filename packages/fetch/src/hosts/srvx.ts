import { type NodeIncoming, peerOf } from '@ipguard/node/request'
import { peerMissing } from '../peer-missing.ts'
import { type BunServer, bunServe } from './bun-serve.ts'
import { type DenoInfo, denoServe } from './deno-serve.ts'

/** What srvx adds to a request, as far as it is read. Not its `ip`: on Cloudflare and behind `trustProxy` that is a header's. */
interface SrvxRequest {
  readonly runtime?: {
    readonly node?: { readonly req: NodeIncoming }
    readonly bun?: { readonly server: BunServer }
    readonly deno?: { readonly info: DenoInfo }
  }
  readonly waitUntil?: (work: Promise<unknown>) => unknown
}

interface Srvx {
  readonly peer: (request: Request) => string | undefined
  readonly incoming: (request: Request) => NodeIncoming | undefined
  readonly waitUntil: (work: Promise<unknown>, request: Request) => void
}

const runtimeOf = (request: Request): SrvxRequest['runtime'] => (request as SrvxRequest).runtime // srvx calls this

/**
 * For srvx, which h3 and Nitro serve with, on Node, Bun and Deno. On Cloudflare it has no peer: `clientIp: cloudflareWorkers()`.
 *
 * @example
 * serve({ fetch: protect(guard, app.fetch, srvx) })
 */
export const srvx: Srvx = {
  peer(request) {
    const { node, bun, deno } = runtimeOf(request) ?? {}
    if (node) return peerOf(node.req)
    if (bun) return bunServe.peer(request, bun.server)
    if (deno) return denoServe.peer(request, deno.info)
    throw peerMissing('srvx finds no connection', 'serve({ fetch: guarded })')
  },
  incoming: (request) => runtimeOf(request)?.node?.req,
  waitUntil(work, request) {
    void (request as SrvxRequest).waitUntil?.(work)
  },
}
