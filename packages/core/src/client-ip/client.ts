import { type Address, formatAddress } from '../ip/address.ts'
import { formatPrefix, maskAddress } from '../ip/prefix.ts'
import { checkWhole } from '../options.ts'

/**
 * The address that a request really comes from, as plain JSON.
 *
 * `ip` is canonical text: one client has one spelling, without port, brackets or zone. `key` is what limits and bans
 * count by: the address itself for IPv4, its network (`2001:db8:1:2::/64`, option `ipv6Prefix`) for IPv6, because one
 * IPv6 subscriber owns a whole /64. Neither can be chosen by the caller; `via` says which hop, header and rule gave them.
 */
export interface Client {
  readonly ip: string
  readonly key: string
  readonly via: ClientVia
}

/** Which hop, header and rule produced a client address. */
export interface ClientVia {
  /**
   * - `socket`: the peer of the connection;
   * - `rightmost-untrusted`: the first element from the right that is no trusted proxy;
   * - `hops`: the configured number of elements from the right;
   * - `single`: a header that carries one address;
   * - `all-trusted`: the leftmost element, as every element is a trusted proxy. It matches no allow list.
   */
  readonly rule: 'socket' | 'rightmost-untrusted' | 'hops' | 'single' | 'all-trusted'
  /** The configured header, in lower case; absent when only the socket is read. */
  readonly header?: string
  /** The element of the header that was taken, counted from the right; 1 is the last. */
  readonly hop?: number
  /** Why the socket address was taken although a header is configured. */
  readonly because?: 'peer-untrusted' | 'header-absent' | 'chain-short'
}

/** A client with its parsed forms, as policies and stores use it. */
export interface ResolvedClient {
  readonly client: Client
  readonly address: Address
  /** The address masked to `ipv6Prefix`. */
  readonly key: Address
  /** The length of the key's prefix: 32 for IPv4, `ipv6Prefix` or 128 for IPv6. */
  readonly keyLength: number
  /** False when every element of the header was a trusted proxy: such a client matches no allow list. */
  readonly allowable: boolean
}

export const DEFAULT_IPV6_PREFIX = 64

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID` when it is no whole number from 32 to 128. */
export function checkIpv6Prefix(length: number): number {
  checkWhole('ipv6Prefix', length, 32, 128)
  return length
}

/** `ip` is the canonical text, if the caller has it already. */
export function resolvedClient(
  address: Address,
  ipv6Prefix: number,
  via: ClientVia,
  ip: string = formatAddress(address),
): ResolvedClient {
  // `::1` (with all of the unroutable ::/32) and fe80::/10 stay whole: their neighbours are other hosts, not the same
  // subscriber
  const whole = address.family === 4 || ipv6Prefix === 128 || address.a === 0 || address.a >>> 22 === 0x3fa
  const key = whole ? address : maskAddress(address, ipv6Prefix)
  const keyLength = address.family === 4 ? 32 : whole ? 128 : ipv6Prefix
  const text = whole
    ? ip
    : ipv6Prefix <= 64
      ? formatNetwork(key, ipv6Prefix)
      : formatPrefix({ address: key, length: ipv6Prefix })
  return { client: { ip, key: text, via }, address, key, keyLength, allowable: via.rule !== 'all-trusted' }
}

/** A network of at most 64 bits whose first word is not 0: RFC 5952 shortens nothing of it but its end. */
function formatNetwork({ a, b }: Address, length: number): string {
  let text = (a >>> 16).toString(16)
  if (b !== 0 || (a & 0xffff) !== 0) text += `:${(a & 0xffff).toString(16)}`
  if (b !== 0) text += `:${(b >>> 16).toString(16)}`
  if ((b & 0xffff) !== 0) text += `:${(b & 0xffff).toString(16)}`
  return `${text}::/${length}`
}
