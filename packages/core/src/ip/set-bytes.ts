import { IpGuardError } from '../errors.ts'
import type { Table } from './set-table.ts'

/** Key words of the five tables: all of IPv4, then IPv6 up to /32, /64, /96 and /128. */
export const TABLE_KEYS: readonly number[] = [0, 0, 1, 2, 3]

// The format, in words of the machine's byte order:
// magic, version, bytes, checksum, entries, combinations, bytes of text, 0, then (rows, bits of index) of each table;
// per table index, rows and values; the combinations (label << 8 | length); at the end the text, JSON in UTF-8.
const MAGIC = 0x53504931
const SWAPPED = 0x31495053
const VERSION = 1
const CHECKSUM = 3
const HEADER = 18
const MAX_BITS = 20

/** One buffer that holds a whole set, and views on its parts. */
export interface SetBytes {
  readonly words: Int32Array
  readonly size: number
  readonly tables: readonly Table[]
  readonly combos: Uint32Array
  /** Bytes up to the text. */
  readonly end: number
}

/** The texts of a set: its labels (number 0 stands for none) and the entries whose host bits were set. */
export interface SetText {
  readonly labels: readonly string[]
  readonly masked: readonly string[]
}

/** A buffer of the right size for tables of `counts` rows, all parts zero. */
export function allocateSet(size: number, counts: readonly number[], combos: number): SetBytes {
  const header = new Int32Array(HEADER)
  header.set([MAGIC, VERSION, 0, 0, size, combos])
  for (const [i, count] of counts.entries()) {
    // four rows to a bucket
    const bits = Math.min(MAX_BITS, Math.max(1, 30 - Math.clz32(count)))
    header.set([count, count && bits], 8 + 2 * i)
  }
  const words = new Int32Array(measure(header) / 4)
  words.set(header)
  return viewSet(words)
}

/** A copy of the set with its text and checksum. */
export function writeSet(set: SetBytes, text: SetText): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify([text.labels, text.masked]))
  const words = new Int32Array(set.end / 4 + Math.ceil(json.length / 4))
  words.set(set.words.subarray(0, set.end / 4))
  new Uint8Array(words.buffer).set(json, set.end)
  words[2] = words.byteLength
  words[6] = json.length
  words[CHECKSUM] = checksum(words)
  return words.buffer
}

/** @throws {IpGuardError} `IPGUARD_SET_DAMAGED` */
export function readSet(input: ArrayBufferLike | Uint8Array): { set: SetBytes; text: SetText } {
  // copied only when it does not begin at a whole word, as parts of pooled buffers may not
  const bytes = !(input instanceof Uint8Array) ? new Uint8Array(input) : input.byteOffset % 4 ? input.slice() : input
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  const [magic, version, length, sum, , combos = 0, textBytes = 0] = words
  if (magic === SWAPPED) throw damaged('they were written on a machine of the other byte order')
  if (magic !== MAGIC || words.length < HEADER) throw damaged('they do not begin as one')
  if (version !== VERSION) throw damaged(`format version ${version} is not ${VERSION}`)
  if (length !== bytes.length) throw damaged(`${bytes.length} bytes instead of ${length}`)
  if (sum !== checksum(words)) throw damaged('the checksum differs')
  const end = measure(words)
  if (textBytes < 0 || end + Math.ceil(textBytes / 4) * 4 !== length) throw damaged('the parts do not fill it')
  const set = viewSet(words)
  const text = readText(bytes.slice(end, end + textBytes))
  const known = set.combos.every((combo) => combo >>> 8 < text.labels.length && (combo & 255) <= 128)
  if (!known || !set.tables.every((table) => isWhole(table, combos))) throw damaged('a part points outside')
  return { set, text }
}

function readText(bytes: Uint8Array): SetText {
  try {
    const text: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const [labels, masked] = Array.isArray(text) ? (text as readonly unknown[]) : [] // any[] to unknown[]
    if (isTexts(labels) && isTexts(masked)) return { labels, masked }
  } catch {
    // told below, like text of another shape
  }
  throw damaged('the text cannot be read')
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** That a look-up reads inside the table whatever it is asked. */
function isWhole({ count, index, values }: Table, combos: number): boolean {
  let previous = 0
  for (const first of index) {
    if (first < previous) return false
    previous = first
  }
  return (
    previous === count && (index[0] ?? 0) === 0 && (values === undefined || values.every((value) => value < combos))
  )
}

/** Bytes up to the text, from the header alone; NaN when the header cannot be true. */
function measure(header: Int32Array): number {
  const combos = header[5] ?? 0
  let words = combos < 0 ? Number.NaN : HEADER + combos
  for (const [i, keys] of TABLE_KEYS.entries()) {
    const count = header[8 + 2 * i] ?? 0
    const bits = header[9 + 2 * i] ?? 0
    if (count < 0 || bits < (count && 1) || bits > MAX_BITS) return Number.NaN
    words += indexLength(bits) + count * (keys + 2) + Math.ceil((count * valueWidth(combos)) / 4)
  }
  return words * 4
}

function indexLength(bits: number): number {
  return bits && 2 ** bits + 1
}

function valueWidth(combos: number): 0 | 1 | 2 | 4 {
  return combos === 0 ? 0 : combos <= 0x100 ? 1 : combos <= 0x10000 ? 2 : 4
}

function viewSet(words: Int32Array): SetBytes {
  const { buffer, byteOffset } = words
  const combos = words[5] ?? 0
  const width = valueWidth(combos)
  const Values =
    width === 1
      ? Uint8Array<ArrayBufferLike>
      : width === 2
        ? Uint16Array<ArrayBufferLike>
        : Uint32Array<ArrayBufferLike>
  let at = HEADER
  const take = (length: number): number => {
    at += length
    return at - length
  }
  const tables = TABLE_KEYS.map((keys, i): Table => {
    const count = words[8 + 2 * i] ?? 0
    const bits = words[9 + 2 * i] ?? 0
    const index = take(indexLength(bits))
    const rows = take(count * (keys + 2))
    const values = byteOffset + 4 * take(Math.ceil((count * width) / 4))
    return {
      keys,
      count,
      shift: 32 - bits,
      index: words.subarray(index, rows),
      rows: words.subarray(rows, rows + count * (keys + 2)),
      values: width === 0 ? undefined : new Values(buffer, values, count),
    }
  })
  const first = take(combos)
  return {
    words,
    size: words[4] ?? 0,
    tables,
    combos: new Uint32Array(buffer, byteOffset + 4 * first, combos),
    end: at * 4,
  }
}

/** Over every word but its own. Each step is a bijection, so a change in one word always changes the sum. */
function checksum(words: Int32Array): number {
  let sum = 0
  for (let i = 0; i < words.length; i++) {
    if (i !== CHECKSUM) sum = Math.imul(sum ^ (words[i] ?? 0) ^ (sum >>> 15), 0x85ebca6b)
  }
  return sum
}

function damaged(reason: string): IpGuardError {
  return new IpGuardError(
    'IPGUARD_SET_DAMAGED',
    `These bytes are not a whole set: ${reason}. Write them again with set.toBytes() of this version of ipguard.`,
  )
}
