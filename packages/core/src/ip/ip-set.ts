import { checkOptions, checkWhole, invalidOption } from '../options.ts'
import { type Address, type ScannedKind, scanAddress, scanned, scannedAddress } from './address.ts'
import { formatPrefix, maskAddress } from './prefix.ts'
import { buildSet, finish, type SetParts } from './set-build.ts'
import { readSet, writeSet } from './set-bytes.ts'
import { collectEntries, type IpSetEntry } from './set-entries.ts'
import { findRow, findWord, type Table } from './set-table.ts'

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
  /** The same for an address that is parsed already. */
  hasAddress(address: Address): boolean
  /**
   * The entry that holds the address: with labels the longest prefix and its label; without any label overlapping
   * and adjacent entries are merged, and the answer is the largest block around the address that lies in the set.
   */
  lookup(text: string): IpSetMatch | undefined
  /** The same for an address that is parsed already. */
  lookupAddress(address: Address): IpSetMatch | undefined
  /** A block that lies in both sets, if there is one. Takes time in proportion to the size of both. */
  overlaps(other: IpSet): string | undefined
  /** The set as one buffer, which `ipSetFromBytes` loads without parsing it anew. */
  toBytes(): ArrayBuffer
}

/** The entry of a labelled set that holds an address: the longest prefix, canonical, and its label. */
export interface IpSetMatch {
  readonly cidr: string
  readonly label?: string
}

/** How `buildIpSet` shares the event loop. */
export interface BuildIpSetOptions {
  /** Whole milliseconds of work between two pauses. @default 8 */
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
 * About 10 bytes an IPv4 entry and 14 an IPv6 one (22 in a set with any longer than /64), and 4 more with labels.
 * Blocks for about 0.3 s at 1,000,000 lines: see `buildIpSet`.
 *
 * @example
 * const office = ipSet(['192.168.1.100', '10.20.0.0/24', { cidr: '2001:db8::/32', label: 'lab' }])
 * office.lookup('2001:db8::1') // { cidr: '2001:db8::/32', label: 'lab' }
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, naming the line and what is wrong with it.
 */
export function ipSet(entries: Iterable<IpSetEntry>): IpSet {
  const collected = collectEntries()
  for (const entry of checkEntries(entries)) collected.add(entry)
  return openSet(finish(buildSet(collected)))
}

/**
 * Builds a set as `ipSet` does, in slices: the event loop is never held for long, whatever the size of the list.
 *
 * Takes lines, or batches (arrays) of lines, which are faster; from an iterable or an async iterable.
 *
 * @example
 * const feed = await buildIpSet(createInterface({ input: createReadStream('drop.txt') }))
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, naming the line and what is wrong with it, or `IPGUARD_OPTION_INVALID` (as rejections).
 */
export async function buildIpSet(
  entries: AsyncIterable<IpSetEntry | readonly IpSetEntry[]> | Iterable<IpSetEntry | readonly IpSetEntry[]>,
  options: BuildIpSetOptions = {},
): Promise<IpSet> {
  checkEntries(entries)
  checkOptions(options, ['slice', 'clock', 'pause'], 'buildIpSet')
  const { slice = 8, clock = () => performance.now(), pause = nextTurn } = options
  checkWhole('buildIpSet.slice', slice, 0)
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
  if (Symbol.asyncIterator in entries) {
    for await (const item of entries) await take([item])
  } else await take(entries)
  const steps = buildSet(collected)
  let step = steps.next()
  for (; !step.done; step = steps.next()) if (clock() >= until) await rest()
  return openSet(step.value)
}

/**
 * Loads a set from what `toBytes` wrote, without parsing and sorting it anew: bundle it with an edge function, or share it
 * between threads in a SharedArrayBuffer. The set keeps the buffer; do not change it.
 *
 * The checksum finds damage, not forgery: load only bytes that you wrote.
 *
 * @example
 * const set = ipSetFromBytes(ipSet(['10.0.0.0/8']).toBytes())
 * @throws {IpGuardError} `IPGUARD_SET_DAMAGED` when the bytes are truncated, changed, or of another version.
 */
export function ipSetFromBytes(buffer: ArrayBufferLike | Uint8Array): IpSet {
  return openSet(readSet(buffer))
}

function openSet(parts: SetParts): IpSet {
  const { size, tables, labels, masked } = parts
  const [v4, v6] = tables
  const rowOf = (kind: ScannedKind): number =>
    kind === 0 ? -1 : kind === 6 ? findRow(v6) : findWord(v4, scanned[0] ?? 0)
  const matchOf = (kind: ScannedKind): IpSetMatch | undefined => {
    const row = rowOf(kind)
    if (row < 0) return undefined
    const { width, rows } = kind === 6 ? v6 : v4
    const meta = rows[row * (width + 1) + width] ?? 0
    const length = meta & 255
    const cidr = formatPrefix({ address: maskAddress(scannedAddress(kind), length), length })
    const label = labels[meta >>> 8]
    return meta < 256 || label === undefined ? { cidr } : { cidr, label }
  }
  const self: IpSet = Object.freeze<IpSet>({
    size,
    bytes:
      4 * tables.reduce((sum, { index, rows, outer }) => sum + index.length + rows.length + outer.length, 0) +
      labels.join('').length,
    masked: Object.freeze(masked),
    has: (text) => rowOf(scanAddress(text)) >= 0,
    hasAddress: (address) => (address.family === 4 ? findWord(v4, address.a) : rowOf(loadAddress(address))) >= 0,
    lookup: (text) => matchOf(scanAddress(text)),
    lookupAddress: (address) => matchOf(loadAddress(address)),
    overlaps: (other) =>
      findOverlap(tables, [self, other]) ?? findOverlap(readSet(other.toBytes()).tables, [self, other]),
    toBytes: () => writeSet(parts),
  })
  return self
}

/** Puts an address where look-ups read it. */
function loadAddress({ family, a, b, c, d }: Address): 4 | 6 {
  scanned[0] = a
  scanned[1] = b
  scanned[2] = c
  scanned[3] = d
  return family
}

/** Blocks nest or are apart: two sets overlap when one holds the first address of a row of the other. */
function findOverlap(tables: readonly Table[], sets: readonly IpSet[]): string | undefined {
  for (const { width, rows } of tables) {
    for (let at = 0; at < rows.length; at += width + 1) {
      const [a = 0, b = 0, c = 0, d = 0] = new Int32Array(rows.subarray(at, at + width))
      const address: Address = { family: rows === tables[0]?.rows ? 4 : 6, a, b, c, d }
      if (!sets.every((set) => set.hasAddress(address))) continue
      const [one = '', other = ''] = sets.map((set) => set.lookupAddress(address)?.cidr)
      return lengthOf(one) > lengthOf(other) ? one : other
    }
  }
  return undefined
}

function lengthOf(cidr: string): number {
  return Number(cidr.split('/')[1])
}

function checkEntries<T extends object>(entries: T): T {
  // a text is an iterable of characters: the one mistake that the loop would not explain
  if (typeof entries === 'object' && entries && (Symbol.iterator in entries || Symbol.asyncIterator in entries))
    return entries
  throw invalidOption('The list of a set', entries, 'an array or another iterable of lines')
}

function isBatch(item: IpSetEntry | readonly IpSetEntry[]): item is readonly IpSetEntry[] {
  return Array.isArray(item)
}

function nextTurn(): Promise<void> {
  // setImmediate is no part of the language; where it exists it lets I/O run without the timers' minimum delay
  const { setImmediate } = globalThis as { readonly setImmediate?: (done: () => void) => void }
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)))
}
