import { type Address, formatAddress, type Prefix, parseAddress, parsePrefix } from '@ipguard/core'

/** The block that an address, a CIDR block or a range `a-b` stands for; a range may be several. Undefined when it is none of them. */
export function parseEntry(text: string): Prefix | readonly Prefix[] | undefined {
  if (text.includes('-')) return parseRange(text)
  if (!text.includes('/')) return blockOfOne(text)
  // Looked at first: the error for what is no prefix costs more than a hundred look-ups.
  if (!/^[\da-f.:]{2,45}\/\d{1,3}$/i.test(text)) return undefined
  try {
    return parsePrefix(text)
  } catch {
    return undefined
  }
}

/** The canonical text of a block. */
export function blockText({ address, length }: Prefix): string {
  return `${formatAddress(address)}/${length}`
}

function blockOfOne(text: string): Prefix | undefined {
  const address = parseAddress(text)
  return address && { address, length: address.family === 4 ? 32 : 128 }
}

function parseRange(text: string): readonly Prefix[] | undefined {
  const at = text.indexOf('-')
  const first = parseAddress(text.slice(0, at).trim())
  const last = parseAddress(text.slice(at + 1).trim())
  if (!first || !last || first.family !== last.family) return undefined
  const bits = first.family === 4 ? 32 : 128
  const end = toNumber(last)
  const blocks: Prefix[] = []
  let from = toNumber(first)
  if (from > end) return undefined
  while (from <= end) {
    // The widest block that begins here and does not go beyond the end.
    let size = 0
    while (size < bits && (from >> BigInt(size)) % 2n === 0n && from + (1n << BigInt(size + 1)) - 1n <= end) size++
    blocks.push({ address: toAddress(from, first.family), length: bits - size })
    from += 1n << BigInt(size)
  }
  return blocks
}

function toNumber({ family, a, b, c, d }: Address): bigint {
  const words = family === 4 ? [a] : [a, b, c, d]
  return words.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n)
}

function toAddress(value: bigint, family: 4 | 6): Address {
  const word = (shift: number): number => Number((value >> BigInt(shift)) & 0xffffffffn) | 0
  if (family === 4) return { family, a: word(0), b: 0, c: 0, d: 0 }
  return { family, a: word(96), b: word(64), c: word(32), d: word(0) }
}
