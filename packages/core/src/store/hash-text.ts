/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, CC0 reference) over a text's UTF-16 code units, low byte first.
 *
 * Keyed, because the texts are chosen by callers: without the key nobody finds two that share a counter. Our own twenty lines, as the
 * platform's hashes are asynchronous and a hash library is a tenth of what this package may weigh.
 */
export function halfSipHash(k0: number, k1: number, text: string): readonly [low: number, high: number] {
  let v0 = k0
  let v1 = k1 ^ 0xee
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) | 0
      v1 = rotate(v1, 5) ^ v0
      v0 = rotate(v0, 16)
      v2 = (v2 + v3) | 0
      v3 = rotate(v3, 8) ^ v2
      v0 = (v0 + v3) | 0
      v3 = rotate(v3, 7) ^ v0
      v2 = (v2 + v1) | 0
      v1 = rotate(v1, 13) ^ v2
      v2 = rotate(v2, 16)
    }
  }
  const { length } = text
  const absorb = (word: number): void => {
    v3 ^= word
    rounds(2)
    v0 ^= word
  }
  const even = length & ~1
  for (let i = 0; i < even; i += 2) absorb(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
  // The last word: what is left, and the length in bytes.
  absorb((length << 25) | (even < length ? text.charCodeAt(even) : 0))
  v2 ^= 0xee
  rounds(4)
  const first = v1 ^ v3
  v1 ^= 0xdd
  rounds(4)
  return [first, v1 ^ v3]
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
