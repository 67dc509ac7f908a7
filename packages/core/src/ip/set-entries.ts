import { invalidOption } from '../options.ts'
import { scanned, scannedAddress } from './address.ts'
import { cidrInvalid, formatPrefix, scannedFamily, scanPrefix, wordMask } from './prefix.ts'

/** One line of a list: an address or CIDR block, with or without a label. */
export type IpSetEntry = string | { readonly cidr: string; readonly label?: string }

/** Entries of one family, in the order they came: rows of [address, label << 8 | length]. */
export interface EntryRows {
  readonly stride: number
  rows: Uint32Array
  /** Where the next row goes. */
  end: number
  /** Words of the longest prefix. */
  width: number
}

/** The texts of a set: its labels (number 0 stands for none) and the entries whose host bits were set. */
export interface SetText {
  readonly labels: readonly string[]
  readonly masked: readonly string[]
}

/** Entries read so far. */
export interface SetEntries extends SetText {
  /** IPv4 and IPv6. */
  readonly tables: readonly [EntryRows, EntryRows]
  /** @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, `IPGUARD_OPTION_INVALID`; both name the entry's position. */
  add(entry: IpSetEntry): void
}

export function collectEntries(): SetEntries {
  const v4: EntryRows = { stride: 2, rows: new Uint32Array(80), end: 0, width: 1 }
  const v6: EntryRows = { ...v4, stride: 5, rows: new Uint32Array(80) }
  const labels = ['']
  const numbers = new Map<string | undefined, number>([[undefined, 0]])
  const masked: string[] = []
  let position = 0

  const add = (entry: IpSetEntry): void => {
    position++
    const line = typeof entry === 'string'
    const text = line ? entry : entry?.cidr
    let length = scanPrefix(text)
    if (length < 0 && line) {
      const content = entry.replace(/[#;].*/s, '').trim()
      if (content === '') return
      length = scanPrefix(content)
    }
    if (length < 0) throw cidrInvalid(text, `Line ${position} of the list`)
    const label: unknown = line ? undefined : entry.label
    if (label !== undefined && typeof label !== 'string') {
      throw invalidOption(`The label of line ${position}`, label, 'a string')
    }
    const number = numbers.get(label) ?? labels.push(label ?? '') - 1
    numbers.set(label, number)
    const family = scannedFamily
    if (pushRow(family === 4 ? v4 : v6, length, number) && masked.length < 100) {
      masked.push(formatPrefix({ address: scannedAddress(family), length }))
    }
  }
  return { tables: [v4, v6], labels, masked, add }
}

/** Appends the block in `scanned`; whether it had host bits. */
function pushRow(table: EntryRows, length: number, label: number): boolean {
  const { stride, end, rows } = table
  if (end + stride > rows.length) {
    table.rows = new Uint32Array(rows.length * 2)
    table.rows.set(rows)
  }
  let host = 0
  for (let i = 0; i < stride - 1; i++) {
    const word = scanned[i] ?? 0
    const mask = wordMask(length - 32 * i)
    host |= word & ~mask
    table.rows[end + i] = word & mask
  }
  table.end = end + stride
  table.rows[table.end - 1] = (label << 8) | length
  table.width = Math.max(table.width, Math.ceil(length / 32))
  return host !== 0
}
