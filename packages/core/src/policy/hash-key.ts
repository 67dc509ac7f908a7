import { sha256 } from '@noble/hashes/sha2.js'
import type { CounterKey } from '../store/hit.ts'

const encoder = new TextEncoder()

/**
 * A custom key as 128 bits of SHA-256: of fixed size, the same in every process, not to be made to collide by whoever chooses the text, and
 * no text of a caller in a store.
 */
export function hashKey(text: string): CounterKey {
  const bytes = sha256(encoder.encode(text))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getInt32(at)) as [number, number, number, number] // four offsets, four words
  const hex = [a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  return { kind: 0, length: 0, a, b, c, d, text: hex }
}
