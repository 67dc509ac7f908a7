import { describe, expect, test } from 'vitest'
import { IpGuardError } from '../errors.ts'
import { ipSet, ipSetFromBytes } from './ip-set.ts'

const ENTRIES = [
  '10.1.2.3/8',
  { cidr: '10.1.0.0/16', label: 'Büro' },
  '2001:db8::/32',
  '2001:db8:1::/48',
  '::1',
  '2001:db8::1:0/112',
  { cidr: '2001:db8:0:0:1::/80', label: 'x' },
]
const PROBES = [
  '10.2.3.4',
  '10.1.2.3',
  '11.0.0.0',
  '2001:db8::1',
  '2001:db8:1::',
  '::1',
  '::2',
  '2001:db8::1:5',
  '2001:db8::1:0:0:1',
]

const SETS = [
  ['labelled', ipSet(ENTRIES)],
  ['unlabelled', ipSet(ENTRIES.map((entry) => (typeof entry === 'string' ? entry : entry.cidr)))],
] as const

describe.each(SETS)('the bytes of a set, %s', (_, set) => {
  const bytes = new Uint8Array(set.toBytes())

  test('load as the same set', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    for (const input of [bytes.buffer, bytes, shared, shared.buffer, shifted.subarray(3)]) {
      const loaded = ipSetFromBytes(input)
      expect([loaded.size, loaded.masked, loaded.bytes]).toEqual([set.size, set.masked, set.bytes])
      for (const probe of PROBES)
        expect([probe, loaded.has(probe), loaded.lookup(probe)]).toEqual([probe, set.has(probe), set.lookup(probe)])
      expect(new Uint8Array(loaded.toBytes())).toEqual(bytes)
    }
  })

  test('load from a Buffer of Node, wherever it begins', () => {
    for (const memory of [new ArrayBuffer(bytes.length + 3), new SharedArrayBuffer(bytes.length + 3)]) {
      for (const offset of [0, 1, 2, 3]) {
        const input = Buffer.from(memory, offset, bytes.length)
        input.set(bytes)
        expect(new Uint8Array(ipSetFromBytes(input).toBytes())).toEqual(bytes)
        input[0] = (input[0] ?? 0) ^ 1
        expect(codeOf(input), `at ${offset}`).toBe('IPGUARD_SET_DAMAGED')
      }
    }
  })

  test('no single changed byte goes unseen', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const copy = bytes.slice()
        copy[at] = (copy[at] ?? 0) ^ flip
        expect(codeOf(copy), `byte ${at} ^ ${flip}`).toBe('IPGUARD_SET_DAMAGED')
      }
    }
  })

  test('no truncation and no addition goes unseen', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(bytes.slice(0, length)), `${length} bytes`).toBe('IPGUARD_SET_DAMAGED')
    expect(codeOf(new Uint8Array([...bytes, 0, 0, 0, 0]))).toBe('IPGUARD_SET_DAMAGED')
  })

  test('a changed word with the checksum set right either loads, harmless, or is refused', () => {
    for (let at = 4; at < bytes.length / 4; at++) {
      for (const value of [-1, 0, 1, 0x7fffffff, 1 << 20]) {
        const words = new Int32Array(bytes.slice().buffer)
        words[at] = value
        words[3] = checksum(words)
        const outcome = codeOf(new Uint8Array(words.buffer), (loaded) => {
          for (const probe of PROBES) {
            expect(typeof loaded.has(probe)).toBe('boolean')
            loaded.lookup(probe)
          }
        })
        expect([undefined, 'IPGUARD_SET_DAMAGED']).toContain(outcome)
      }
    }
  })
})

test('the message says what is wrong', () => {
  const bytes = new Uint8Array(ipSet(['10.0.0.0/8']).toBytes())
  const other = new Int32Array(bytes.slice().buffer)
  other[1] = 2
  const swapped = new Uint8Array(bytes.length).map((_, i) => bytes[i ^ 3] ?? 0)
  expect(() => ipSetFromBytes(new Uint8Array(0))).toThrow('These bytes are not a whole set: they do not begin as one')
  expect(() => ipSetFromBytes(new Uint8Array(other.buffer))).toThrow('format version 2 is not 1')
  expect(() => ipSetFromBytes(swapped)).toThrow('of this byte order')
  expect(() => ipSetFromBytes(bytes.slice(0, -4))).toThrow(`${bytes.length - 4} bytes instead of ${bytes.length}`)
  expect(() => ipSetFromBytes(bytes.fill(9, bytes.length - 4))).toThrow('the checksum differs')
  expect(() => ipSetFromBytes('x' as never)).toThrow(IpGuardError)
  expect(() => ipSetFromBytes(undefined as never)).toThrow(IpGuardError)
})

function codeOf(bytes: Uint8Array, use?: (set: ReturnType<typeof ipSetFromBytes>) => void): string | undefined {
  try {
    use?.(ipSetFromBytes(bytes))
    if (!use) ipSetFromBytes(bytes)
    return undefined
  } catch (error) {
    return error instanceof IpGuardError ? error.code : String(error)
  }
}

/** The format's checksum, to forge it. */
function checksum(words: Int32Array): number {
  let sum = 0
  for (const [i, word] of words.entries()) if (i !== 3) sum = Math.imul(sum ^ word ^ (sum >>> 15), 0x85ebca6b)
  return sum
}
