import type { Address } from '../ip/address.ts'
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
import { commaBefore, forParameter, parseHop, separatorBefore, trimOws, UNPAIRED, viewerAddress } from './forwarded.ts'

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
}

/**
 * Finds the address that a request really comes from: the socket's, or the one that a trusted proxy wrote.
 *
 * `resolveClientIp()` reads no header. With a header, the peer must be in `trust` for it to be read at all, so no
 * caller can forge it; the walk goes from the right, and stops at the first element that is not trusted. If that
 * element holds no address (`unknown`, `_hidden`, text) there is no client: a step further left would be the caller's
 * choice. An absent or blank header, a peer that is not trusted, and fewer elements than `hops` give the peer.
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
  const peerOf = rememberPeer(plan, ipv6Prefix)
  const take = header === undefined ? undefined : headerReader(plan, header, ipv6Prefix)
  const viaSocket = (because: ClientVia['because'] | undefined): ClientVia =>
    Object.freeze({ rule: 'socket', ...(header && { header }), ...(because && { because }) })
  const unread = viaSocket(header === undefined ? undefined : 'peer-untrusted')
  const absent = viaSocket('header-absent')
  const short = viaSocket('chain-short')
  return {
    resolve(request, peer) {
      const from = peerOf(peer)
      if (take === undefined || header === undefined || !from.trusted) return from.client(unread)
      const value = request.headers.get(header)
      if (value === undefined || value === null || isBlank(value)) {
        return settings.requireHeader ? undefined : from.client(absent)
      }
      const taken = take(value)
      return taken === 'short' ? from.client(short) : taken
    },
    trustsPeer: (peer) => peerOf(peer).trusted,
    trust,
    header,
    readsHeader: header !== undefined,
  }
}

interface Peer {
  readonly text: string | undefined
  readonly trusted: boolean
  readonly client: (via: ClientVia) => ResolvedClient | undefined
}

/** Reads a peer, and keeps the last one: behind a proxy it is the same on nearly every request. */
function rememberPeer(plan: ClientIpPlan, ipv6Prefix: number): (text: string | undefined) => Peer {
  const read = (text: string | undefined): Peer => {
    const address = text === undefined ? undefined : parseHop(text)
    let known: ResolvedClient | undefined
    return {
      text,
      trusted: plan.trustAll || (text === 'unix' ? plan.trustUnix : address !== undefined && trusts(plan, address)),
      client(via) {
        if (address === undefined || known?.client.via === via) return known
        known = resolvedClient(address, ipv6Prefix, via)
        // one object serves many requests: a policy that wrote to it would change the next caller's client
        Object.freeze(known.client)
        return known
      },
    }
  }
  let last = read(undefined)
  return (text) => {
    if (text !== last.text) last = read(text)
    return last
  }
}

function trusts(plan: ClientIpPlan, address: Address): boolean {
  return plan.trust?.hasAddress(address) === true
}

function isBlank(value: string): boolean {
  const first = value.charCodeAt(0)
  // only a value that begins with whitespace can be blank: the scan is for those
  return value === '' || ((first === 32 || first === 9) && trimOws(value, 0, value.length) === '')
}

/** The client that a header's value names; `undefined` when its slot holds no address; 'short' when it has no such slot. */
function headerReader(
  plan: ClientIpPlan,
  header: string,
  ipv6Prefix: number,
): (value: string) => ResolvedClient | 'short' | undefined {
  const { kind, hops } = plan
  const viaHop = viaPerHop(hops > 0 ? 'hops' : 'rightmost-untrusted', header)
  const viaAll = viaPerHop('all-trusted', header)
  const single: ClientVia = Object.freeze({ rule: 'single', header })
  if (kind === 'single') {
    const viewer = header === 'cloudfront-viewer-address'
    return (value) => {
      const text = trimOws(value, 0, value.length)
      const host = viewer ? viewerAddress(text) : text
      const address = parseHop(host)
      return address && resolvedClient(address, ipv6Prefix, single, canonicalText(address, host, value))
    }
  }
  return (value) => {
    let plain = kind === 'x-forwarded-for' || !value.includes('"')
    for (let hop = 1, end = value.length; ; hop++) {
      let comma = plain ? commaBefore(value, end) : separatorBefore(value, end)
      if (comma === UNPAIRED) {
        plain = true
        comma = commaBefore(value, end)
      }
      if (hop >= hops) {
        const element = trimOws(value, comma + 1, end)
        const host = kind === 'forwarded' ? forParameter(element) : element
        const address = parseHop(host)
        if (address === undefined) return undefined
        const found = hops > 0 || !trusts(plan, address)
        if (found || comma < 0) {
          return resolvedClient(
            address,
            ipv6Prefix,
            (found ? viaHop : viaAll)(hop),
            canonicalText(address, host, value),
          )
        }
      } else if (comma < 0) return 'short'
      end = comma
    }
  }
}

/**
 * Strict IPv4 has one spelling, so its text is canonical and need not be written again. Not from a long header: a
 * substring would keep all of it in memory for as long as a store keeps the key.
 */
function canonicalText(address: Address, host: string, value: string): string | undefined {
  return address.family === 4 && value.length <= 64 && !host.includes(':') ? host : undefined
}

/** One frozen object per hop, so that a request makes none; hops beyond 32 are not kept. */
function viaPerHop(rule: ClientVia['rule'], header: string): (hop: number) => ClientVia {
  const known: ClientVia[] = []
  for (let hop = 1; hop <= 32; hop++) known.push(Object.freeze({ rule, header, hop }))
  return (hop) => known[hop - 1] ?? Object.freeze({ rule, header, hop })
}
