import { invalidOption } from '../options.ts'
import { scanned, scannedAddress } from './address.ts'
import { cidrInvalid, formatPrefix, scannedFamily, scanPrefix, wordMask } from './prefix.ts'
import { TABLE_KEYS } from './set-bytes.ts'
import { SIGN } from './set-table.ts'

/** One line of a list: an address or CIDR block, with or without a label. */
export type IpSetEntry = string | { readonly cidr: string; readonly label?: string }

/** Entries of one table, in the order they came: rows of [key words, first, label << 6 | length within the word]. */
export interface EntryRows {
  readonly keys: number
  rows: Int32Array
  count: number
}

/** Entries read so far. */
export interface SetEntries {
  readonly tables: readonly EntryRows[]
  readonly labels: string[]
  readonly masked: string[]
  /** @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, `IPGUARD_OPTION_INVALID`; both name the entry's position. */
  add(entry: IpSetEntry): void
}

const MAX_MASKED = 100

export function collectEntries(): SetEntries {
  const tables = TABLE_KEYS.map((keys): EntryRows => ({ keys, rows: new Int32Array(64), count: 0 }))
  const labels = ['']
  const numbers = new Map<string, number>()
  const masked: string[] = []
  let position = 0

  const labelNumber = (label: unknown): number => {
    if (label === undefined) return 0
    if (typeof label !== 'string') throw invalidOption(`The label of line ${position}`, label, 'a string')
    const known = numbers.get(label)
    if (known !== undefined) return known
    numbers.set(label, labels.length)
    return labels.push(label) - 1
  }

  const add = (entry: IpSetEntry): void => {
    position++
    const line = typeof entry === 'string'
    const text = line ? entry : entry?.cidr
    let length = scanPrefix(text)
    if (length < 0 && line) {
      const [from, end] = contentOf(entry)
      if (from === end) return
      length = scanPrefix(entry, from, end)
    }
    if (length < 0) throw cidrInvalid(text, `Line ${position} of the list`)
    const family = scannedFamily
    const keys = family === 4 || length <= 32 ? 0 : (length - 1) >> 5
    const table = tables[family === 4 ? 0 : keys + 1]
    if (table === undefined) return
    const label = line ? 0 : labelNumber(entry.label)
    if (hasHostBits(family, length) && masked.length < MAX_MASKED) {
      masked.push(formatPrefix({ address: scannedAddress(family), length }))
    }
    pushRow(table, scanned, (scanned[keys] ?? 0) & wordMask(length - 32 * keys), (label << 6) | (length - 32 * keys))
  }
  return { tables, labels, masked, add }
}

/** Appends a row; `word` is the first address of the range, in the machine's order of bits. */
export function pushRow(table: EntryRows, keyWords: Int32Array, word: number, meta: number): void {
  const { keys } = table
  const at = table.count++ * (keys + 2)
  if (at + keys + 2 > table.rows.length) {
    const wider = new Int32Array(table.rows.length * 2)
    wider.set(table.rows)
    table.rows = wider
  }
  const { rows } = table
  for (let i = 0; i < keys; i++) rows[at + i] = keyWords[i] ?? 0
  rows[at + keys] = word ^ SIGN
  rows[at + keys + 1] = meta
}

function hasHostBits(family: 4 | 6, length: number): boolean {
  for (let i = 0; i < (family === 4 ? 1 : 4); i++) {
    if (((scanned[i] ?? 0) & ~wordMask(length - 32 * i)) !== 0) return true
  }
  return false
}

/** Where a line's entry stands: without a comment (from # or ; on) and the blanks around it. */
function contentOf(line: string): readonly [from: number, end: number] {
  const comment = line.search(/[#;]/)
  let end = comment < 0 ? line.length : comment
  let from = 0
  while (from < end && isBlank(line.charCodeAt(from))) from++
  while (end > from && isBlank(line.charCodeAt(end - 1))) end--
  return [from, end]
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13
}
