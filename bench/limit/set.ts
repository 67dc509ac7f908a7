import { parsePrefix } from '@ipguard/core'
import { parse4, parse6, words } from './parse.ts'

/** Membership as cheap as it can be: no labels, no object, no check of the text beyond the parser's. */
export interface LimitSet {
  readonly has: (text: string) => boolean
  readonly bytes: number
}

/** Disjoint sorted ranges behind an index of the top 16 bits, searched in between. */
export function limitSet4(cidrs: readonly string[]): LimitSet {
  const ranges = new Float64Array(cidrs.length)
  for (const [i, cidr] of cidrs.entries()) {
    const { address, length } = parsePrefix(cidr)
    ranges[i] = (address.a >>> 0) * 64 + length
  }
  ranges.sort()
  const starts = new Int32Array(cidrs.length)
  const ends = new Int32Array(cidrs.length)
  let count = 0
  let reached = -1
  for (const range of ranges) {
    const first = Math.floor(range / 64)
    const last = first + 2 ** (32 - (range % 64)) - 1
    if (last <= reached) continue
    reached = last
    starts[count] = first | 0
    ends[count++] = last | 0
  }
  const index = new Int32Array(2 ** 16 + 1)
  for (let i = 0; i < count; i++) {
    const bucket = ((starts[i] ?? 0) >>> 16) + 1
    index[bucket] = (index[bucket] ?? 0) + 1
  }
  for (let i = 0; i < 2 ** 16; i++) index[i + 1] = (index[i + 1] ?? 0) + (index[i] ?? 0)
  return {
    bytes: count * 8 + index.byteLength,
    has(text) {
      if (parse4(text, 0, text.length) !== text.length) return false
      const word = (words[0] ?? 0) ^ -0x80000000
      const bucket = (words[0] ?? 0) >>> 16
      let low = index[bucket] ?? 0
      let high = index[bucket + 1] ?? 0
      while (low < high) {
        const middle = (low + high) >>> 1
        if (((starts[middle] ?? 0) ^ -0x80000000) <= word) low = middle + 1
        else high = middle
      }
      return low > 0 && word <= ((ends[low - 1] ?? 0) ^ -0x80000000)
    },
  }
}

/** Sorted ranges of the second word behind a hash of the first: prefixes from /32 to /64 only, as the lists here have them. */
export function limitSet6(cidrs: readonly string[]): LimitSet {
  const blocks = cidrs.map((cidr) => {
    const { address, length } = parsePrefix(cidr)
    const first = address.b >>> 0
    return { net: address.a, first, last: first + 2 ** (64 - length) - 1 }
  })
  blocks.sort((one, other) => one.net - other.net || one.first - other.first || other.last - one.last)
  const kept = blocks.filter((block, i) => {
    for (let before = i - 1; before >= 0 && blocks[before]?.net === block.net; before--)
      if ((blocks[before]?.last ?? 0) >= block.last) return false
    return true
  })
  const nets = Int32Array.from(kept, ({ net }) => net)
  const starts = Int32Array.from(kept, ({ first }) => first ^ -0x80000000)
  const ends = Int32Array.from(kept, ({ last }) => last ^ -0x80000000)
  const bits = Math.max(4, Math.ceil(Math.log2(new Set(nets).size * 2)))
  const slots = new Int32Array(2 ** bits * 2)
  for (let from = 0; from < nets.length; ) {
    let to = from
    while (to < nets.length && nets[to] === nets[from]) to++
    let slot = Math.imul(nets[from] ?? 0, 0x9e3779b1) >>> (32 - bits)
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & (2 ** bits - 1)
    slots[slot * 2] = from
    slots[slot * 2 + 1] = to
    from = to
  }
  return {
    bytes: kept.length * 12 + slots.byteLength,
    has(text) {
      if (parse6(text, 0, text.length) !== text.length) return false
      const net = words[0] ?? 0
      const word = (words[1] ?? 0) ^ -0x80000000
      for (let slot = Math.imul(net, 0x9e3779b1) >>> (32 - bits); ; slot = (slot + 1) & (2 ** bits - 1)) {
        let high = slots[slot * 2 + 1] ?? 0
        if (high === 0) return false
        let low = slots[slot * 2] ?? 0
        const begin = low
        if (nets[low] !== net) continue
        while (low < high) {
          const middle = (low + high) >>> 1
          if ((starts[middle] ?? 0) <= word) low = middle + 1
          else high = middle
        }
        return low > begin && word <= (ends[low - 1] ?? 0)
      }
    },
  }
}
