import {
  type AdapterOptions,
  checkAdapterOptions,
  type Guard,
  type GuardOptions,
  guardFrom,
  IpGuardError,
} from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { type Connection, findConnections } from './connection.ts'
import { warnNext } from './warn-next.ts'

const CHOICES =
  "On a platform that names the client itself, write its preset, such as clientIp: vercel(), or { header: 'x-real-ip', originUnreachable: true } " +
  'where nobody reaches Next past your proxy. Elsewhere call registerPeer() of @ipguard/next/peer in instrumentation.ts, or wrap the listener ' +
  'of a custom server in withPeer() of the same, before this runs.'

/**
 * The guard behind a part of Next that hides the connection.
 *
 * @throws {IpGuardError} `IPGUARD_PEER_MISSING` when no client could be found, and as `createGuard` does
 */
export function nextGuard<Native, Facts>(
  given: GuardOptions<Facts> | Guard<Facts>,
  options: AdapterOptions<Native, Facts>,
  owner: string,
): Guard<Facts> {
  checkAdapterOptions(options, owner)
  const guard = guardFrom(given, { createStore: memoryStore, onWarning: warnNext })
  if (guard.needsPeer && !findConnections() && !isBuilding())
    throw new IpGuardError(
      'IPGUARD_PEER_MISSING',
      `Next.js hides the address of the connection, and clientIp cannot do without it: no request would have a client. ${CHOICES}`,
    )
  return guard
}

/** `next build` loads the application's modules without serving anything. */
function isBuilding(): boolean {
  const { process: host } = globalThis as { readonly process?: NodeJS.Process } // not there on every edge
  return host?.env.NEXT_PHASE === 'phase-production-build'
}

/**
 * The connection of the request that is being answered.
 *
 * @throws {IpGuardError} `IPGUARD_PEER_MISSING` when the guard needs it and nothing tells it: better no answer than one about nobody.
 */
export function connectionFor(guard: Pick<Guard, 'needsPeer'>): Connection | undefined {
  const connection = findConnections()?.storage.getStore()
  if (guard.needsPeer && !connection)
    throw new IpGuardError(
      'IPGUARD_PEER_MISSING',
      `Nothing tells the address of this request's connection, and clientIp cannot do without it: it came before registerPeer() had run, or past withPeer(). ${CHOICES}`,
    )
  return connection
}
