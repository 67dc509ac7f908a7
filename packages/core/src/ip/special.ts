import type { Address } from './address.ts'
import { type IpSet, ipSet } from './ip-set.ts'
import { formatPrefix, type Prefix, parsePrefix, prefixContains, subtractPrefix } from './prefix.ts'

/** What an address is when it is not ordinary global unicast. */
export type SpecialRange =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'unique-local'
  | 'documentation'
  | 'benchmarking'
  | 'multicast'
  | 'broadcast'
  | 'translation'
  | 'tunnel'
  | 'discard'
  | 'reserved'

/**
 * After IANA's registries: iana-ipv4-special-registry, iana-ipv6-special-registry (RFC 6890),
 * multicast-addresses, ipv6-address-space. The longest prefix counts; without a name it is ordinary: IANA lists it as
 * globally reachable.
 */
const RANGES: readonly string[] = [
  'unspecified 0.0.0.0 ::',
  'loopback 127.0.0.0/8 ::1',
  'broadcast 255.255.255.255',
  'private 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16', // RFC 1918
  'shared 100.64.0.0/10', // RFC 6598, carrier-grade NAT
  'link-local 169.254.0.0/16 fe80::/10',
  'unique-local fc00::/7', // RFC 4193
  'documentation 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20', // RFC 5737, 3849, 9637
  'benchmarking 198.18.0.0/15 2001:2::/48', // RFC 2544, 5180
  'multicast 224.0.0.0/4 ff00::/8',
  'translation 64:ff9b::/96 64:ff9b:1::/48', // RFC 6052, 8215: the IPv4 address inside may be any, private too
  'tunnel 2002::/16 2001::/32', // 6to4 (RFC 3056) and Teredo (RFC 4380)
  'discard 100::/64', // RFC 6666
  ' 192.0.0.9 192.0.0.10 2001:1::1 2001:1::2/127 2001:3::/32 2001:4:112::/48 2001:20::/28 2001:30::/28 2000::/3',
  'reserved 0.0.0.0/8 192.0.0.0/24 192.88.99.0/24 240.0.0.0/4 2001::/23 ::/0',
]

let compiled: IpSet | undefined

function ranges(): { readonly label: string; readonly cidr: string }[] {
  return RANGES.flatMap((line) => {
    const [label = '', ...cidrs] = line.split(' ')
    return cidrs.map((cidr) => ({ cidr, label }))
  })
}

/**
 * Names the special range that an address lies in; `undefined` for ordinary global unicast.
 *
 * `private` is RFC 1918 and `shared` is carrier-grade NAT; `unique-local` is the IPv6 counterpart of `private`.
 * NAT64 and 6to4 addresses are `translation` and `tunnel`, never the class of an IPv4 address inside them.
 * IPv6 outside `2000::/3` that no registry assigns is `reserved`.
 *
 * @example
 * const address = parseAddress('::ffff:10.0.0.1')
 * if (address) classifyAddress(address) // 'private'
 */
export function classifyAddress(address: Address): SpecialRange | undefined {
  compiled ??= ipSet(ranges())
  // the labels are the names above, or none
  return (compiled.lookupAddress(address)?.label || undefined) as SpecialRange | undefined
}

/** The special ranges without the exceptions inside them, as a set, and by the first 16 bits of those that have as many. */
interface SpecialBlocks {
  readonly set: IpSet
  readonly all: readonly Prefix[]
  readonly byTop: ReadonlyMap<number, readonly Prefix[]>
}

let blocks: SpecialBlocks | undefined

/**
 * What is left of a block without the addresses that `classifyAddress` names: the block itself, parts of it, or nothing.
 *
 * For lists of others: one that holds 10.0.0.0/8 must not refuse the neighbours.
 *
 * @example
 * subtractSpecial(parsePrefix('10.1.0.0/16')) // []
 */
export function subtractSpecial(prefix: Prefix): readonly Prefix[] {
  blocks ??= specialBlocks()
  const { address, length } = prefix
  if (length === (address.family === 4 ? 32 : 128)) return blocks.set.hasAddress(address) ? [] : [prefix]
  // A block of 16 bits or more holds only those that begin with the same.
  const near = length < 16 ? blocks.all : blocks.byTop.get(topOf(prefix))
  let left: readonly Prefix[] = [prefix]
  for (const block of near ?? []) {
    if (block.length > length && prefixContains(prefix, block.address)) {
      left = left.flatMap((part) => subtractPrefix(part, block))
    }
  }
  // What is left of it lies wholly in a range or wholly outside.
  return left.filter((part) => !blocks?.set.hasAddress(part.address))
}

function specialBlocks(): SpecialBlocks {
  const sorted = ranges()
    .map(({ label, cidr }) => ({ label, prefix: parsePrefix(cidr) }))
    .sort((one, other) => one.prefix.length - other.prefix.length)
  let all: readonly Prefix[] = []
  for (const { label, prefix } of sorted) {
    if (label === '') all = all.flatMap((block) => subtractPrefix(block, prefix))
    else if (!all.some((block) => prefixContains(block, prefix.address))) all = [...all, prefix]
  }
  const byTop = new Map<number, Prefix[]>()
  for (const block of all.filter(({ length }) => length >= 16)) {
    byTop.set(topOf(block), [...(byTop.get(topOf(block)) ?? []), block])
  }
  return { set: ipSet(all.map(formatPrefix)), all, byTop }
}

/** The family and the first 16 bits. */
function topOf({ address }: Prefix): number {
  return (address.a >>> 16) | (address.family << 16)
}
