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
/** Afterwards one request in this many is looked at (a power of two). */
const EVERY = 1_024
const HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip']
const HINT = 'See "Client address" in the README for the setting of your hosting.'

/**
 * Sees, while requests pass, whether a proxy stands in front that the options do not know.
 *
 * At most one warning per request and code. The first 1,000 requests are looked at, then one in 1,024, and none once
 * all have been given; a request that is not looked at costs a counter. No warning shows a header's value.
 */
export function observeClientIp(resolver: ClientIpResolver): ClientIpObserver {
  let seen = 0
  let only: string | undefined
  let forwardedOpen = !resolver.readsHeader
  let privateOpen = true
  let oneOpen = true

  function checkOne(resolved: ResolvedClient): Warning | undefined {
    only ??= resolved.client.key
    oneOpen = only === resolved.client.key && seen < FIRST
    if (only !== resolved.client.key || seen < FIRST) return undefined
    return {
      code: 'IPGUARD_ONE_CLIENT',
      message: `The first ${FIRST} requests all came from ${only}, so one limit and one ban hold for everybody. If a proxy stands in front, set clientIp. ${HINT}`,
    }
  }

  function checkHeaders(request: GuardRequest, peer: string | undefined): Warning | undefined {
    const header = HEADERS.find((name) => request.headers.get(name))
    if (header === undefined) return undefined
    if (privateOpen && isNear(peer) && !resolver.trustsPeer(peer)) {
      privateOpen = false
      return {
        code: 'IPGUARD_PEER_PRIVATE_UNTRUSTED',
        message: `A request with a ${header} header came from ${peer}, which is not in clientIp.trust: that looks like your own proxy, and its address is taken for the client. ${HINT}`,
      }
    }
    if (!forwardedOpen) return undefined
    forwardedOpen = false
    return {
      code: 'IPGUARD_FORWARDED_UNTRUSTED',
      message: `A request carried a ${header} header, and clientIp reads none. If a proxy stands in front, set clientIp; if none does, a caller forged it and it had no effect. ${HINT}`,
    }
  }

  return {
    observe(request, peer, resolved) {
      if (!(forwardedOpen || privateOpen || oneOpen)) return undefined
      seen = seen < 1 << 30 ? seen + 1 : FIRST
      if (seen > FIRST && (seen & (EVERY - 1)) !== 0) return undefined
      const one = oneOpen && resolved !== undefined ? checkOne(resolved) : undefined
      return one ?? (forwardedOpen || privateOpen ? checkHeaders(request, peer) : undefined)
    },
  }
}

/** A peer inside the operator's network: a proxy far more often than a visitor. */
function isNear(peer: string | undefined): boolean {
  if (peer === 'unix') return true
  const address = peer === undefined ? undefined : parseAddress(peer)
  const range = address && classifyAddress(address)
  return (
    range === 'loopback' ||
    range === 'private' ||
    range === 'shared' ||
    range === 'link-local' ||
    range === 'unique-local'
  )
}
