import { type Address, scanAddress, scanned, scannedAddress } from '../ip/address.ts'
import type { IpSet } from '../ip/ip-set.ts'
import type { GuardRequest } from '../request.ts'
import {
  type Client,
  type ClientVia,
  checkIpv6Prefix,
  DEFAULT_IPV6_PREFIX,
  type ResolvedClient,
  resolvedClient,
} from './client.ts'
import { type ClientIpOptions, type ClientIpPlan, type ClientIpPreset, planClientIp } from './client-ip-options.ts'
import { forParameter, parseHop, separatorBefore, trimOws, UNPAIRED, viewerAddress } from './forwarded.ts'

/** What the guard needs beside the options: how keys are cut, and what an absent header means. */
export interface ClientIpSettings {
  /** Bits of an IPv6 address that make its key, 32 to 128. @default 64 */
  readonly ipv6Prefix?: number
  /** A trusted peer that sends no header is no client, instead of being the client; set by `onlyAllow`. @default false */
  readonly requireHeader?: boolean
}

/** The compiled form of `clientIp`. One per guard: it remembers the last peer, so that a proxy is parsed once. */
export interface ClientIpResolver {
  readonly resolve: (request: GuardRequest, peer: string | undefined) => ResolvedClient | undefined
  /** Whether this peer may name the client. */
  readonly trustsPeer: (peer: string | undefined) => boolean
  /** The trusted proxies, if any have addresses. */
  readonly trust: IpSet | undefined
  readonly header: string | undefined
  readonly readsHeader: boolean
  /** Without the peer no client can be found: all but `originUnreachable`. */
  readonly needsPeer: boolean
}

/**
 * Finds the address that a request really comes from: the socket's, or the one that a trusted proxy wrote.
 *
 * `resolveClientIp()` reads no header. With a header, the peer must be in `trust` for it to be read at all, so no
 * caller can forge it; the walk goes from the right, and stops at the first element that is not trusted. If that
 * element holds no address (`unknown`, `_hidden`, text) there is no client: a step further left would be the caller's
 * choice. An absent or blank header, a peer that is not trusted, and fewer elements than `hops` give the peer. Headers of
 * which lines were lost (`headers.incomplete`) name no client, by whatever rule.
 *
 * `peer` is the address of the connection, as the runtime gives it, or `'unix'` for a unix-domain socket; never from a
 * header. `undefined` and `''` mean that it is not known. Linear in the header's length; never throws on a request.
 *
 * @example
 * const clientOf = resolveClientIp({ header: 'x-forwarded-for', trust: ['10.0.0.5/32'] })
 * const request = new Request('http://localhost/', { headers: { 'x-forwarded-for': '9.9.9.9, 192.0.2.60' } })
 * clientOf(request, '10.0.0.5')?.ip    // '192.0.2.60'
 * clientOf(request, '198.51.100.7')?.ip // '198.51.100.7'
 * @throws {IpGuardError} `IPGUARD_TRUST_MISSING` when a header is read without `trust` or `originUnreachable`;
 * `IPGUARD_TRUST_INVALID`, `IPGUARD_CIDR_INVALID` or `IPGUARD_OPTION_INVALID` when an option cannot be used.
 */
export function resolveClientIp(
  options: ClientIpOptions | ClientIpPreset = {},
): (request: GuardRequest, peer: string | undefined) => Client | undefined {
  const { resolve } = compileClientIp(options)
  return (request, peer) => resolve(request, peer)?.client
}

/** `resolveClientIp` with the parsed forms, for the guard. Throws as it does, and for `ipv6Prefix`. */
export function compileClientIp(options: ClientIpOptions = {}, settings: ClientIpSettings = {}): ClientIpResolver {
  const plan = planClientIp(options)
  const { header, trust } = plan
  const ipv6Prefix = checkIpv6Prefix(settings.ipv6Prefix ?? DEFAULT_IPV6_PREFIX)
  const viaOf = (rule: ClientVia['rule'], more?: Pick<ClientVia, 'because' | 'hop'>): ClientVia =>
    Object.freeze({ rule, ...(header && { header }), ...more })
  const take = headerReader(plan, ipv6Prefix, viaOf)
  const unread = viaOf('socket', header === undefined ? undefined : { because: 'peer-untrusted' })
  const absent = viaOf('socket', { because: 'header-absent' })
  const short = viaOf('socket', { because: 'chain-short' })
  // the last peer: behind a proxy it is the same on nearly every request
  let last: string | undefined
  let address: Address | undefined
  let trusted = plan.trustAll
  let known: ResolvedClient | undefined

  const trustsPeer = (peer: string | undefined): boolean => {
    if (peer !== last) {
      address = peer === undefined ? undefined : parseHop(peer)
      trusted = plan.trustAll || (peer === 'unix' ? plan.trustUnix : trusts(plan, address))
      known = undefined
      last = peer
    }
    return trusted
  }
  const socket = (via: ClientVia): ResolvedClient | undefined => {
    if (address !== undefined && known?.client.via !== via) {
      known = resolvedClient(address, ipv6Prefix, via)
      // one object serves many requests: a policy that wrote to it would change the next caller's client
      Object.freeze(known.client)
    }
    return known
  }
  return {
    resolve(request, peer) {
      if (!trustsPeer(peer) || header === undefined) return socket(unread)
      if (request.headers.incomplete) return undefined
      const value = request.headers.get(header)
      // only a value that begins with white space can be blank
      if (!value || (value.charCodeAt(0) <= 32 && trimOws(value, 0, value.length) === '')) {
        return settings.requireHeader ? undefined : socket(absent)
      }
      const taken = take(value)
      return taken === 'short' ? socket(short) : taken
    },
    trustsPeer,
    trust,
    header,
    readsHeader: header !== undefined,
    needsPeer: !plan.trustAll,
  }
}

function trusts(plan: ClientIpPlan, address: Address | undefined): boolean {
  return address !== undefined && plan.trust?.hasAddress(address) === true
}

/** The client that a header's value names; `undefined` when its slot holds no address; 'short' when it has no such slot. */
function headerReader(
  plan: ClientIpPlan,
  ipv6Prefix: number,
  viaOf: (rule: ClientVia['rule'], more?: Pick<ClientVia, 'hop'>) => ClientVia,
): (value: string) => ResolvedClient | 'short' | undefined {
  const { header, hops, rule } = plan
  const single = rule === 'single'
  const hostOf =
    header === 'forwarded' ? forParameter : header === 'cloudfront-viewer-address' ? viewerAddress : undefined
  // one object per hop, so that a request makes none
  const found: ClientVia[] = []
  const allTrusted: ClientVia[] = []
  const viaHop = (hop: number, isFound: boolean): ClientVia => {
    const vias = isFound ? found : allTrusted
    const via = vias[hop] ?? viaOf(isFound ? rule : 'all-trusted', single ? undefined : { hop })
    if (hop <= 32) vias[hop] = via
    return via
  }
  const stops = (address: Address): boolean => hops > 0 || !trusts(plan, address)
  const longestPlain = hops <= 1 && !hostOf ? 15 : 0
  return (value) => {
    // nearly always there is one element, and it is IPv4
    if (value.length <= longestPlain && scanAddress(value) === 4 && scanned[0] !== 0) {
      const address = scannedAddress(4)
      return resolvedClient(address, ipv6Prefix, viaHop(1, stops(address)), value)
    }
    let quoted = header === 'forwarded' && value.includes('"')
    for (let hop = 1, end = value.length; ; hop++) {
      let comma = quoted ? separatorBefore(value, end) : UNPAIRED
      if (comma === UNPAIRED) {
        quoted = false
        // lastIndexOf takes a negative start for 0, and would find a comma at 0 again
        comma = end > 0 && !single ? value.lastIndexOf(',', end - 1) : -1
      }
      if (hop >= hops) {
        const element = trimOws(value, comma + 1, end)
        const host = hostOf ? hostOf(element) : element
        // plain IPv4 first: it is what most hops are, and its text is canonical
        const plain = scanAddress(host) === 4 && scanned[0] !== 0
        const address = plain ? scannedAddress(4) : parseHop(host)
        if (address === undefined) return undefined
        const isFound = stops(address)
        if (isFound || comma < 0) {
          // not the text of a long header: a substring would keep all of it in memory for as long as a store keeps the key
          const text = plain && value.length <= 64 ? host : undefined
          return resolvedClient(address, ipv6Prefix, viaHop(hop, isFound), text)
        }
      } else if (comma < 0) return 'short'
      end = comma
    }
  }
}
