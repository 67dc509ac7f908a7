import { checkOptions, invalidOption } from '../options.ts'
import { type Address, scanAddress, scanned, scannedAddress } from './address.ts'
import { formatPrefix, maskAddress, wordMask } from './prefix.ts'
import { buildSet } from './set-build.ts'
import { readSet, type SetBytes, type SetText, writeSet } from './set-bytes.ts'
import { collectEntries, type IpSetEntry } from './set-entries.ts'
import { findRow, findWord, SIGN, type Table } from './set-table.ts'

/** An immutable set of addresses and CIDR blocks, IPv4 and IPv6, of any size. */
export interface IpSet {
  /** Distinct entries that it was built from. */
  readonly size: number
  /** Bytes that it holds: its arrays and the text of its labels. */
  readonly bytes: number
  /** The first 100 entries whose host bits were set, as they were read; `10.1.2.3/8` counts as `10.0.0.0/8`. */
  readonly masked: readonly string[]
  /** Whether the set holds the address. Text that is no address is in no set. Never throws. */
  has(text: string): boolean
  hasAddress(address: Address): boolean
  /**
   * The entry that holds the address: with labels the longest prefix and its label; without any label overlapping
   * and adjacent entries are merged, and the answer is the largest block around the address that lies in the set.
   */
  lookup(text: string): IpSetMatch | undefined
  lookupAddress(address: Address): IpSetMatch | undefined
  /** A block that lies in both sets, if there is one. Takes time in proportion to the size of both. */
  overlaps(other: IpSet): string | undefined
  /** The set as one buffer, which `ipSetFromBytes` loads without building it anew. */
  toBytes(): ArrayBuffer
}

export interface IpSetMatch {
  readonly cidr: string
  readonly label?: string
}

/** How `buildIpSet` shares the event loop. */
export interface BuildIpSetOptions {
  /** Milliseconds of work between two pauses. @default 8 */
  readonly slice?: number
  /** Milliseconds from any start. @default performance.now */
  readonly clock?: () => number
  /** Resolves once other work has run. @default setImmediate, or setTimeout where there is none */
  readonly pause?: () => Promise<void>
}

/**
 * Builds a set from addresses, CIDR blocks, lines of a text list, or `{ cidr, label }`.
 *
 * In lines, blanks around the entry, blank lines and comments (from `#` or `;` on) are skipped. One bad entry refuses
 * the whole list. Host bits are zeroed and reported in `masked`. An IPv4-mapped address is the IPv4 address; IPv6
 * blocks never hold IPv4 addresses. Of equal entries the first one's label counts.
 * About 10 bytes an IPv4 entry and 14 an IPv6 one. Blocks for about 0.3 s at 1,000,000 lines: see `buildIpSet`.
 *
 * @example
 * const office = ipSet(['192.168.1.100', '10.20.0.0/24', { cidr: '2001:db8::/32', label: 'lab' }])
 * office.lookup('2001:db8::1') // { cidr: '2001:db8::/32', label: 'lab' }
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, naming the line and what is wrong with it.
 */
export function ipSet(entries: Iterable<IpSetEntry>): IpSet {
  const collected = collectEntries()
  for (const entry of checkEntries(entries)) collected.add(entry)
  const steps = buildSet(collected)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return openSet(step.value, collected)
}

/**
 * Builds a set as `ipSet` does, in slices: the event loop is never held for long, whatever the size of the list.
 *
 * Takes lines, or batches (arrays) of lines, which are faster; from an iterable or an async iterable.
 *
 * @example
 * const feed = await buildIpSet(createInterface({ input: createReadStream('drop.txt') }))
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, naming the line and what is wrong with it (as a rejection).
 */
export async function buildIpSet(
  entries: AsyncIterable<IpSetEntry | readonly IpSetEntry[]> | Iterable<IpSetEntry | readonly IpSetEntry[]>,
  options: BuildIpSetOptions = {},
): Promise<IpSet> {
  checkEntries(entries)
  checkOptions(options, ['slice', 'clock', 'pause'], 'buildIpSet')
  const { slice = 8, clock = () => performance.now(), pause = nextTurn } = options
  const collected = collectEntries()
  let until = clock() + slice
  let added = 0
  const rest = async (): Promise<void> => {
    await pause()
    until = clock() + slice
  }
  const take = async (items: Iterable<IpSetEntry | readonly IpSetEntry[]>): Promise<void> => {
    for (const item of items) {
      if (isBatch(item)) await take(item)
      else {
        collected.add(item)
        if (++added % 512 === 0 && clock() >= until) await rest()
      }
    }
  }
  if (isAsync(entries)) {
    for await (const item of entries) await take([item])
  } else await take(entries)
  const steps = buildSet(collected)
  let step = steps.next()
  for (; !step.done; step = steps.next()) if (clock() >= until) await rest()
  return openSet(step.value, collected)
}

/**
 * Loads a set from what `toBytes` wrote, without building it anew: bundle it with an edge function, or share it
 * between threads in a SharedArrayBuffer. The set keeps the buffer; do not change it.
 *
 * The checksum finds damage, not forgery: load only bytes that you wrote.
 *
 * @example
 * const set = ipSetFromBytes(ipSet(['10.0.0.0/8']).toBytes())
 * @throws {IpGuardError} `IPGUARD_SET_DAMAGED` when the bytes are truncated, changed, or of another version.
 */
export function ipSetFromBytes(buffer: ArrayBufferLike | Uint8Array): IpSet {
  const { set, text } = readSet(buffer)
  return openSet(set, text)
}

function openSet(set: SetBytes, { labels, masked }: SetText): IpSet {
  const [v4, ...v6] = set.tables
  const labelled = set.combos.length > 0
  // the longest prefix is the answer with labels, the largest block without
  const filled = v6.filter((table) => table.count > 0)
  if (labelled) filled.reverse()

  const holds = (isV6: boolean): boolean => {
    if (!isV6) return v4 !== undefined && v4.count > 0 && findWord(v4, scanned[0] ?? 0) >= 0
    for (const table of filled) if (findRow(table) >= 0) return true
    return false
  }
  const find = (isV6: boolean): IpSetMatch | undefined => {
    for (const table of isV6 ? filled : [v4]) {
      const row = table && table.count > 0 ? findRow(table) : -1
      if (table === undefined || row < 0) continue
      const combo = set.combos[table.values?.[row] ?? -1]
      const length = combo === undefined ? blockLength(table, row) : combo & 255
      const cidr = formatPrefix({ address: maskAddress(scannedAddress(isV6 ? 6 : 4), length), length })
      const label = combo !== undefined && combo > 255 ? labels[combo >>> 8] : undefined
      return label === undefined ? { cidr } : { cidr, label }
    }
    return undefined
  }
  const self: IpSet = Object.freeze<IpSet>({
    size: set.size,
    bytes: labels.reduce((sum, label) => sum + label.length, set.end),
    masked: Object.freeze([...masked]),
    has: (text) => {
      const kind = scanAddress(text)
      return kind !== 0 && holds(kind === 6)
    },
    hasAddress: (address) => holds(loadAddress(address)),
    lookup: (text) => {
      const kind = scanAddress(text)
      return kind === 0 ? undefined : find(kind === 6)
    },
    lookupAddress: (address) => find(loadAddress(address)),
    overlaps: (other) => findOverlap(set, other) ?? findOverlap(readSet(other.toBytes()).set, self),
    toBytes: () => writeSet(set, { labels, masked }),
  })
  return self
}

/** Puts an address where look-ups read it; true for IPv6. */
function loadAddress({ family, a, b, c, d }: Address): boolean {
  scanned[0] = a
  scanned[1] = b
  scanned[2] = c
  scanned[3] = d
  return family === 6
}

/** The length of the largest block around the address in `scanned` that lies in a range. */
function blockLength({ keys, rows }: Table, row: number): number {
  const word = scanned[keys] ?? 0
  const at = row * (keys + 2) + keys
  let bits = 0
  for (; bits < 32; bits++) {
    const first = word & wordMask(bits)
    if ((first ^ SIGN) >= (rows[at] ?? 0) && ((first | ~wordMask(bits)) ^ SIGN) <= (rows[at + 1] ?? 0)) break
  }
  return 32 * keys + bits
}

/** Blocks nest or are apart: two sets overlap when one holds the first address of a range of the other. */
function findOverlap(set: SetBytes, other: IpSet): string | undefined {
  const own = openSet(set, { labels: [], masked: [] })
  for (const [i, { keys, count, rows }] of set.tables.entries()) {
    for (let at = 0; at < count * (keys + 2); at += keys + 2) {
      const words = [0, 0, 0, 0].map((_, j) =>
        j < keys ? (rows[at + j] ?? 0) : j === keys ? (rows[at + j] ?? 0) ^ SIGN : 0,
      )
      const [a = 0, b = 0, c = 0, d = 0] = words
      const address: Address = { family: i === 0 ? 4 : 6, a, b, c, d }
      const theirs = other.lookupAddress(address)?.cidr
      if (theirs === undefined) continue
      const mine = own.lookupAddress(address)?.cidr
      return mine !== undefined && lengthOf(mine) > lengthOf(theirs) ? mine : theirs
    }
  }
  return undefined
}

function lengthOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1))
}

function checkEntries<T extends object>(entries: T): T {
  // a text is an iterable of characters: the one mistake that the loop would not explain
  if (entries !== null && typeof entries === 'object' && (Symbol.iterator in entries || isAsync(entries)))
    return entries
  throw invalidOption('The list of a set', entries, 'an array or another iterable of lines')
}

function isAsync(entries: object): entries is AsyncIterable<unknown> {
  return Symbol.asyncIterator in entries
}

function isBatch(item: IpSetEntry | readonly IpSetEntry[]): item is readonly IpSetEntry[] {
  return Array.isArray(item)
}

function nextTurn(): Promise<void> {
  // setImmediate is no part of the language; where it exists it lets I/O run without the timers' minimum delay
  const { setImmediate } = globalThis as { readonly setImmediate?: (done: () => void) => void }
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)))
}
