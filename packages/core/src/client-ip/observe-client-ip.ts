import type { IpGuardErrorCode } from '../errors.ts'
import { parseAddress } from '../ip/address.ts'
import { classifyAddress } from '../ip/special.ts'
import type { GuardRequest } from '../request.ts'
import type { ResolvedClient } from './client.ts'
import type { ClientIpResolver } from './resolve-client-ip.ts'

/** Something about the deployment that the operator should know; given to `onWarning`, each code once. */
export interface Warning {
  readonly code: IpGuardErrorCode
  readonly message: string
}

/** Watches requests for signs that `clientIp` does not fit the deployment. */
export interface ClientIpObserver {
  readonly observe: (
    request: GuardRequest,
    peer: string | undefined,
    resolved: ResolvedClient | undefined,
  ) => Warning | undefined
}

/** Requests that are all looked at, and after which "every request came from one address" is decided. */
const FIRST = 1_000
/** Afterwards one request in this many is looked at. */
const EVERY = 1_024
const HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip']
const NEAR: readonly unknown[] = ['loopback', 'private', 'shared', 'link-local', 'unique-local']
const HINT = 'If a proxy stands in front, set clientIp; see "Client address" in the README.'

/**
 * Sees, while requests pass, whether a proxy stands in front that the options do not know.
 *
 * At most one warning per request and code. The first 1,000 requests are looked at, then one in 1,024, and none once
 * all have been given; a request that is not looked at costs a counter. No warning shows a header's value.
 */
export function observeClientIp(resolver: ClientIpResolver): ClientIpObserver {
  let seen = 0
  let only: string | undefined
  const open = new Set<IpGuardErrorCode>(['IPGUARD_ONE_CLIENT', 'IPGUARD_PEER_PRIVATE_UNTRUSTED'])
  if (!resolver.readsHeader) open.add('IPGUARD_FORWARDED_UNTRUSTED')

  const warn = (code: IpGuardErrorCode, sign: string): Warning | undefined =>
    open.delete(code) ? { code, message: `${sign}. ${HINT}` } : undefined

  return {
    observe(request, peer, resolved) {
      if (open.size === 0) return undefined
      if (++seen > FIRST && seen % EVERY !== 0) return undefined
      // no client is not the one that all are taken for
      const key = resolved?.client.key ?? ''
      only ??= key
      if (key !== only) open.delete('IPGUARD_ONE_CLIENT')
      const one =
        key && seen >= FIRST
          ? warn(
              'IPGUARD_ONE_CLIENT',
              `The first ${FIRST} requests all came from ${only}: one limit holds for everybody`,
            )
          : undefined
      if (one || open.size === 0) return one
      const header = HEADERS.concat(resolver.header ?? []).find((name) => request.headers.get(name))
      if (header === undefined) return undefined
      const sign = `A request with ${header} came`
      return (
        (isNear(peer) && !resolver.trustsPeer(peer)
          ? warn(
              'IPGUARD_PEER_PRIVATE_UNTRUSTED',
              `${sign} from ${peer}, which is not in clientIp.trust: it is taken for the client`,
            )
          : undefined) ?? warn('IPGUARD_FORWARDED_UNTRUSTED', `${sign}, and clientIp reads no header`)
      )
    },
  }
}

/** A peer inside the operator's network: a proxy far more often than a visitor. */
function isNear(peer: string | undefined): boolean {
  const address = peer === undefined ? undefined : parseAddress(peer)
  return peer === 'unix' || (!!address && NEAR.includes(classifyAddress(address)))
}
