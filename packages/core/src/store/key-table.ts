/**
 * A hash table of fixed-size rows in one Int32Array: words 0-3 are the key, word 4 is a tag (30 bits, never 0 in a row that is used; the two
 * bits above it are the caller's, as is the rest of the row). Open addressing with linear probing and backward-shift deletion, so there are no tombstones and no objects per key.
 *
 * Data and functions instead of an object with methods: the callers' loops read `rows` directly.
 */
export interface KeyTable {
  rows: Int32Array
  /**
   * Row number + 1 in the bits that the length needs, the hash's other bits above, so that a probe seldom reads a wrong row; 0 is empty.
   * A power of two, at least twice the rows.
   */
  index: Int32Array
  /** The index before the latest growth, while rows up to `until` are on their way from it to the new one; those up to `moved` have arrived. */
  old: Int32Array | undefined
  moved: number
  until: number
  readonly stride: number
  readonly capacity: number
  /** Rows allocated, up to `capacity`. */
  room: number
  /** Rows ever used. */
  top: number
  /** First of the list of freed rows, + 1. */
  free: number
  size: number
  /** Drawn before the first row: addresses chosen by an attacker must not collide on purpose. 0: not drawn yet. */
  seed: number
}

/**
 * Rows that go to a new index with each row that is added: all at once is 5 ms for 131,072 rows on a machine with nothing else to do, and
 * a server's event loop would stand still for it.
 */
const MOVES = 32

/** The bits of word 4 that are the tag. */
export const TAG = 0x3fffffff

export function createKeyTable(stride: number, capacity: number, room: number = capacity): KeyTable {
  const rows = Math.min(room, capacity)
  return {
    rows: new Int32Array(rows * stride),
    index: new Int32Array(2 ** Math.ceil(Math.log2(rows * 2))),
    old: undefined,
    moved: 0,
    until: 0,
    stride,
    capacity,
    room: rows,
    top: 0,
    free: 0,
    size: 0,
    seed: 0,
  }
}

/** The offset of the row in `rows`, or -1. */
export function findRow(table: KeyTable, a: number, b: number, c: number, d: number, tag: number): number {
  const h = hash(table.seed, a, b, c, d, tag)
  const at = probe(table, table.index, h, a, b, c, d, tag)
  return at < 0 && table.old ? probe(table, table.old, h, a, b, c, d, tag) : at
}

/** An index may name a row that was given up since, or taken by another key: the row says whose it is. */
function probe(
  { rows, stride }: KeyTable,
  index: Int32Array,
  h: number,
  a: number,
  b: number,
  c: number,
  d: number,
  tag: number,
): number {
  const mask = index.length - 1
  for (let slot = h & mask; ; slot = (slot + 1) & mask) {
    const entry = index[slot] as number // `slot` is inside: masked by the power-of-two length
    if (entry === 0) return -1
    if (((entry ^ h) & ~mask) !== 0) continue
    const o = ((entry & mask) - 1) * stride
    if (
      rows[o] === a &&
      ((rows[o + 4] as number) & TAG) === tag && // rows of the index are inside
      rows[o + 1] === b &&
      rows[o + 2] === c &&
      rows[o + 3] === d
    )
      return o
  }
}

/** Adds a row whose key is not there yet, payload zeroed; answers its offset, or -1 when the table is full. */
export function addRow(table: KeyTable, a: number, b: number, c: number, d: number, tag: number): number {
  if (table.seed === 0) drawSeed(table)
  if (table.size === table.room && !grow(table)) return -1
  if (table.old) move(table, MOVES)
  const { rows, stride } = table
  let row = table.free
  if (row === 0) row = ++table.top
  else table.free = rows[(row - 1) * stride] as number // a freed row keeps the next one in its first word
  const o = (row - 1) * stride
  rows.fill(0, o, o + stride)
  rows[o] = a
  rows[o + 1] = b
  rows[o + 2] = c
  rows[o + 3] = d
  rows[o + 4] = tag
  place(table, row, o)
  table.size++
  return o
}

/** Before the first row. */
export function drawSeed(table: KeyTable): void {
  table.seed = (globalThis.crypto.getRandomValues(new Int32Array(1))[0] as number) | 1 // an array of one
}

/** Removes the row at an offset that `findRow` gave. */
export function removeRow(table: KeyTable, offset: number): void {
  const { rows, index, stride } = table
  const mask = index.length - 1
  const row = offset / stride + 1
  let hole = hashRow(table, offset) & mask
  // One that has not moved yet is not in the new index.
  while (index[hole] !== 0 && ((index[hole] as number) & mask) !== row) hole = (hole + 1) & mask
  if (index[hole] !== 0) close(table, hole)
  rows[offset + 4] = 0
  rows[offset] = table.free
  table.free = row
  table.size--
}

/** Empties a slot of the index. */
function close(table: KeyTable, slot: number): void {
  const { index, stride } = table
  const mask = index.length - 1
  let hole = slot
  for (let next = (hole + 1) & mask; index[next] !== 0; next = (next + 1) & mask) {
    const home = hashRow(table, (((index[next] as number) & mask) - 1) * stride) & mask // `next` is masked
    // The row may move into the hole unless its home lies behind the hole.
    if (((next - home) & mask) < ((next - hole) & mask)) continue
    index[hole] = index[next] as number
    hole = next
  }
  index[hole] = 0
}

function place(table: KeyTable, row: number, offset: number): void {
  const mask = table.index.length - 1
  const h = hashRow(table, offset)
  let slot = h & mask
  for (; table.index[slot] !== 0; slot = (slot + 1) & mask) {
    // A freed row that was taken anew before its turn to move came.
    if (((table.index[slot] as number) & mask) === row) return
  }
  table.index[slot] = (h & ~mask) | row
}

function grow(table: KeyTable): boolean {
  if (table.room >= table.capacity) return false
  table.room = Math.min(table.room * 2, table.capacity)
  const rows = new Int32Array(table.room * table.stride)
  rows.set(table.rows)
  table.rows = rows
  if (table.old) move(table, table.until)
  table.old = table.index
  table.moved = 0
  table.until = table.top
  table.index = new Int32Array(2 ** Math.ceil(Math.log2(table.room * 2)))
  return true
}

function move(table: KeyTable, rows: number): void {
  const last = Math.min(table.moved + rows, table.until)
  while (table.moved < last) {
    const o = table.moved * table.stride
    table.moved++
    if (table.rows[o + 4] !== 0) place(table, table.moved, o)
  }
  if (last === table.until) table.old = undefined
}

function hashRow(table: KeyTable, o: number): number {
  const r = table.rows
  // Offsets of used rows are inside.
  return hash(
    table.seed,
    r[o] as number,
    r[o + 1] as number,
    r[o + 2] as number,
    r[o + 3] as number,
    (r[o + 4] as number) & TAG,
  )
}

/**
 * Two multiplications lie between one word and the next: a difference in top bits alone passes through one as it is, and
 * the next word could cancel it under any seed. Most keys have one word (IPv4) or two.
 */
export function hash(seed: number, a: number, b: number, c: number, d: number, tag: number): number {
  let h = mix(seed ^ Math.imul(tag, 0x9e3779b1) ^ a)
  if ((b | c | d) !== 0) h = mix(mix(mix(h ^ b) ^ c) ^ d)
  return h
}

/** Multiply-xor with constants of MurmurHash3 (public domain, Austin Appleby). */
function mix(word: number): number {
  let h = Math.imul(word, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
