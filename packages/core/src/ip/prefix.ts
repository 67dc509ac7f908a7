import { describe, IpGuardError } from '../errors.ts'
import { type Address, formatAddress, MAPPED, scanAddress, scannedAddress } from './address.ts'

/** A block of addresses: `length` leading bits are fixed, and the bits of `address` after them are 0. */
export interface Prefix {
  readonly address: Address
  readonly length: number
}

/**
 * Parses an address or a CIDR block; a bare address is a block of one.
 *
 * Host bits are zeroed: `10.1.2.3/8` is `10.0.0.0/8`. A length on an IPv4-mapped address counts from the IPv6 side,
 * so `::ffff:10.0.0.0/104` is `10.0.0.0/8`, and `::ffff:10.0.0.0/8` is refused: it is nearly always meant as IPv4,
 * and read as IPv6 it would hold every IPv4 address. An IPv6 block never holds an IPv4 address, `::/0` included.
 *
 * @param where the start of the error message, such as `clientIp.trust[2]`
 * @example
 * formatPrefix(parsePrefix('2001:DB8:0::/32')) // '2001:db8::/32'
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID` when the text is neither an address nor a CIDR block.
 */
export function parsePrefix(text: string, where = 'The prefix'): Prefix {
  const length = scanPrefix(text)
  if (length < 0) throw cidrInvalid(text, where)
  const address = scannedAddress(scannedFamily)
  return { address: maskAddress(address, length), length }
}

/** The canonical text of a block, always with its length: `10.0.0.0/8`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`
}

/** The address with all but its first `length` bits zeroed; a length past the family's end changes nothing. */
export function maskAddress(address: Address, length: number): Address {
  const { family, a, b, c, d } = address
  return {
    family,
    a: a & wordMask(length),
    b: b & wordMask(length - 32),
    c: c & wordMask(length - 64),
    d: d & wordMask(length - 96),
  }
}

/** Whether the block holds the address. Families never mix. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  const { family, a, b, c, d } = prefix.address
  const masked = maskAddress(address, prefix.length)
  return family === masked.family && a === masked.a && b === masked.b && c === masked.c && d === masked.d
}

/** The parts of a block that lie outside another one: none, the block itself, or one for each bit that tells them apart. */
export function subtractPrefix(prefix: Prefix, taken: Prefix): readonly Prefix[] {
  if (taken.length <= prefix.length) return prefixContains(taken, prefix.address) ? [] : [prefix]
  if (!prefixContains(prefix, taken.address)) return [prefix]
  const parts: Prefix[] = []
  for (let length = prefix.length + 1; length <= taken.length; length++) {
    const { family, a, b, c, d } = maskAddress(taken.address, length)
    const bit = (word: number): number =>
      length > 32 * word && length <= 32 * word + 32 ? 1 << (32 * word + 32 - length) : 0
    parts.push({ address: { family, a: a ^ bit(0), b: b ^ bit(1), c: c ^ bit(2), d: d ^ bit(3) }, length })
  }
  return parts
}

/** The mask of the first `bits` bits of one word, for any number of bits. */
export function wordMask(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits)
}

/** The family of the block that `scanPrefix` has just found. */
export let scannedFamily: 4 | 6 = 4

/** Parses an address or a CIDR block into `scanned` (not masked) and returns its length, or -1. Allocates nothing. */
export function scanPrefix(text: string): number {
  if (typeof text !== 'string') return -1
  const slash = text.lastIndexOf('/')
  const kind = scanAddress(text, slash < 0 ? text.length : slash)
  if (kind === 0) return -1
  scannedFamily = kind === 6 ? 6 : 4
  const most = kind === 4 ? 32 : 128
  let length = slash < 0 ? most : -1
  for (let i = slash + 1; slash >= 0 && i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit >>> 0 > 9 || length === 0) return -1
    length = (length < 0 ? 0 : length * 10) + digit
  }
  if (length > most) return -1
  return kind === MAPPED ? (length < 96 ? -1 : length - 96) : length
}

/** The error for a text that `scanPrefix` refuses; says what to write where the meaning can be guessed. */
export function cidrInvalid(text: unknown, where: string): IpGuardError {
  const advice = typeof text === 'string' ? adviceFor(text) : 'text, such as "10.0.0.0/8"'
  return new IpGuardError('IPGUARD_CIDR_INVALID', `${where} is not a CIDR: ${describe(text)}. Write it as ${advice}.`)
}

function adviceFor(text: string): string {
  const slash = text.lastIndexOf('/')
  const host = text.slice(0, Math.max(slash, 0))
  const length = text.slice(slash)
  const kind = scanAddress(host)
  if (kind !== 0) {
    const ip = formatAddress(scannedAddress(kind))
    const block = ip + length
    if (kind === MAPPED && scanPrefix(block) >= 0) return `"${block}"`
    return `"${ip}/n" with n from 0 to ${kind === 6 ? 128 : 32}`
  }
  // 10.0.0/8: the missing octets can only be zeros, as long as no octet could be read as octal
  const whole = ['.0', '.0.0', '.0.0.0'].map((zeros) => host + zeros + length).find((block) => scanPrefix(block) >= 0)
  return whole ? `"${whole}"` : 'an address or an address and a length, such as "10.0.0.0/8"'
}
