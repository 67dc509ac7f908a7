import { type BunServer, bunServe, denoServe, IpGuardError } from '@ipguard/fetch'
import { peerOf } from '@ipguard/node/request'
import type { Context } from 'hono'
import type { Host } from './host-of.ts'

/** Answers the address of a request's connection, alone or as `getConnInfo` of Hono's runtimes does. */
export type PeerOfContext = (
  c: Context,
) => string | { readonly remote: { readonly address?: string | undefined } } | undefined

/**
 * The address of a request's connection, as the runtime gives it; never read from a header.
 *
 * @throws {IpGuardError} `IPGUARD_PEER_MISSING` on a runtime that gives none, where it is needed
 */
export function peerOfHost(host: Host, request: Request, needed: boolean): string | undefined {
  if (host.incoming) return peerOf(host.incoming)
  if (host.requestIP) return bunServe.peer(request, host as BunServer) // it has what makes it one
  if (host.remoteAddr) return denoServe.peer(request, { remoteAddr: host.remoteAddr })
  if (!needed) return undefined
  throw new IpGuardError(
    'IPGUARD_PEER_MISSING',
    "This runtime names no connection to Hono, and clientIp needs its address: every request would be one without a client. Pass app.fetch all that the runtime gives, or write the runtime's ipguard(options, { peer: getConnInfo }); in a Cloudflare Worker clientIp: cloudflareWorkers().",
  )
}
