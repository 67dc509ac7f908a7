import { type Address, formatAddress, type IpSet } from '@ipguard/core'
import { randomOf, shuffled } from './random.ts'

export type Family = 4 | 6

type Random = (below: number) => number

/** Distinct CIDRs as text, in no order. IPv4: 45 % /32, 10 % /25-31, 35 % /24, 10 % shorter. IPv6: /32 to /64 in some thousand allocations. */
export function someCidrs(family: Family, count: number): string[] {
  const random = randomOf(family * 1000 + 7)
  const made = new Set<string>()
  while (made.size < count) made.add(family === 4 ? cidr4(random) : cidr6(random, count))
  return [...made]
}

/** Addresses as text, 90 % of them not in the set. Half of the IPv6 ones that are not lie in allocations that the set knows. */
export function someQueries(family: Family, cidrs: readonly string[], set: IpSet, count: number): string[] {
  const random = randomOf(family * 1000 + 8)
  const queries: string[] = []
  while (queries.length < count) {
    if (queries.length % 10 === 0) {
      queries.push(insideOf(cidrs[random(cidrs.length)] ?? '::', family, random))
      continue
    }
    const known = family === 6 && queries.length % 2 === 0
    const text = known
      ? insideOf(`${cidrs[random(cidrs.length)]?.split(':').slice(0, 2).join(':')}::/32`, 6, random)
      : anyAddress(family, random)
    if (!set.has(text)) queries.push(text)
  }
  // no pattern of hits that a processor could learn
  return shuffled(queries, random)
}

/** Texts of the forms that a server meets: IPv6 half written out in full, half with a gap. */
export function someAddresses(family: Family, count: number, seed: number = 3): string[] {
  const random = randomOf(family * 1000 + seed)
  return Array.from({ length: count }, () => anyAddress(family, random))
}

function anyAddress(family: Family, random: Random): string {
  const word = (): number => random(2 ** 32) | 0
  if (family === 4) return flat(text(4, (random(222) + 1) * 2 ** 24 + random(2 ** 24)))
  const a = (0x20000000 + random(0x20000000)) | 0
  return flat(
    random(2) === 0 ? text(6, a, word(), word(), word()) : text(6, a, random(0x10000) << 16, 0, random(0xffff)),
  )
}

function cidr4(random: Random): string {
  const kind = random(100)
  let length = 32
  if (kind >= 90) {
    // half /23, a quarter /22 and so on: as many addresses at every length
    length = 23
    while (length > 12 && random(2) === 0) length--
  } else if (kind >= 55) length = 24
  else if (kind >= 45) length = 25 + random(7)
  const first = (1 + random(222)) * 2 ** 24 + random(2 ** 24)
  return flat(`${text(4, masked(first, length))}${length === 32 ? '' : `/${length}`}`)
}

function cidr6(random: Random, count: number): string {
  const kind = random(100)
  const allocation = (0x20010000 + Math.imul(random(Math.min(20_000, count)), 0x9e3779b1 & 0x1fffff)) | 0
  if (kind === 99) return flat(`${text(6, (0x2c000000 + random(2 ** 20)) | 0)}/32`)
  const length = kind < 45 ? 48 : kind < 75 ? 64 : kind < 90 ? 56 : kind < 95 ? 40 + random(8) : 49 + random(15)
  return flat(`${text(6, allocation, masked(random(2 ** 32), length - 32))}/${length}`)
}

function insideOf(cidr: string, family: Family, random: Random): string {
  const [address = '', length = family === 4 ? '32' : '128'] = cidr.split('/')
  if (family === 4) {
    const first = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
    return flat(text(4, first + random(2 ** (32 - Number(length)))))
  }
  const head = address.replace(/::$/, '').split(':')
  const filled = Number(length) === 32 ? [...head, random(2 ** 16).toString(16), random(2 ** 16).toString(16)] : head
  return flat(
    `${[...filled, ...Array.from({ length: Math.max(0, 4 - filled.length) }, () => '0')].slice(0, 4).join(':')}:${[1, 2, 3, 4].map(() => (1 + random(0xffff)).toString(16)).join(':')}`,
  )
}

function masked(word: number, length: number): number {
  return length === 0 ? 0 : (word & (-1 << (32 - length))) >>> 0
}

function text(family: Family, a: number, b: number = 0, c: number = 0, d: number = 0): string {
  const address: Address = { family, a: a | 0, b: b | 0, c: c | 0, d: d | 0 }
  return formatAddress(address)
}

/** A string of its own, not a rope or a slice of another one: so do texts arrive from a socket. */
function flat(made: string): string {
  return Buffer.from(made, 'latin1').toString('latin1')
}
