import { IpGuardError } from '../errors.ts'
import { finish, type SetParts } from './set-build.ts'
import { openTable } from './set-table.ts'

// The format, in words of the machine's byte order:
// magic, version, bytes, checksum, entries, then (width, words of rows) of each table; the rows of each; at the end the
// labels and the entries with host bits, as JSON in UTF-8 with blanks behind it.
const MAGIC = 0x53504931
const VERSION = 1
const CHECKSUM = 3
const HEADER = 9

/** The set as one buffer. */
export function writeSet({ size, tables: [v4, v6], labels, masked }: SetParts): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify([labels, masked]))
  const middle = HEADER + v4.rows.length
  const end = middle + v6.rows.length
  const words = new Uint32Array(end + Math.ceil(text.length / 4))
  words.set([MAGIC, VERSION, words.byteLength, 0, size, v4.width, v4.rows.length, v6.width, v6.rows.length])
  words.set(v4.rows, HEADER)
  words.set(v6.rows, middle)
  new Uint8Array(words.buffer, end * 4).fill(32).set(text)
  words[CHECKSUM] = checksum(words)
  return words.buffer
}

/** @throws {IpGuardError} `IPGUARD_SET_DAMAGED` */
export function readSet(input: ArrayBufferLike | Uint8Array): SetParts {
  // copied only when it does not begin at a whole word, as parts of pooled buffers may not; `slice` of a Node Buffer copies nothing
  const isWhole = input instanceof Uint8Array && input.byteOffset % 4 === 0
  const bytes = isWhole ? input : new Uint8Array(input as ArrayBuffer) // the types have no constructor for all three
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  const [magic, version, length, sum, size = 0, width4 = 0, rows4 = 0, width6 = 0, rows6 = 0] = words
  try {
    const middle = HEADER + rows4
    const end = middle + rows6
    const whole = magic === MAGIC && version === VERSION && length === bytes.length && sum === checksum(words)
    // a copy, as text in shared memory is not decoded
    const text: unknown = whole && JSON.parse(new TextDecoder().decode(new Uint8Array(bytes.subarray(end * 4))))
    const [labels, masked] = text as [string[], string[]] // no array throws here, and no texts in the next line
    if (labels.concat(masked).every((item) => typeof item === 'string')) {
      const v4 = finish(openTable(width4, words.subarray(HEADER, middle), labels.length > 1))
      const v6 = finish(openTable(width6, words.subarray(middle, end), labels.length > 1))
      return { size, tables: [v4, v6], labels, masked }
    }
  } catch {
    // told below, like text of another shape
  }
  const reason =
    magic !== MAGIC
      ? 'they do not begin as one of this byte order'
      : version !== VERSION
        ? `format version ${version} is not ${VERSION}`
        : bytes.length === length
          ? 'the checksum differs'
          : `${bytes.length} bytes instead of ${length}`
  throw new IpGuardError(
    'IPGUARD_SET_DAMAGED',
    `These bytes are not a whole set: ${reason}. Write them again with set.toBytes() of this version.`,
  )
}

/** Over every word but its own. Each step is a bijection, so a change in one word always changes the sum. */
function checksum(words: Uint32Array): number {
  let sum = 0
  for (let i = 0; i < words.length; i++) {
    if (i !== CHECKSUM) sum = Math.imul(sum ^ (words[i] ?? 0) ^ (sum >>> 15), 0x85ebca6b)
  }
  return sum >>> 0
}
