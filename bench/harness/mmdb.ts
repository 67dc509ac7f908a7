import { parsePrefix } from '@ipguard/core'
import type { Family } from './lists.ts'

const FOUND = -1

/**
 * A MaxMind DB (format 2.0, maxmind.github.io/MaxMind-DB) that says `true` of every address in the blocks: the least that a database can hold.
 * Records are 24 bits wide where that is enough, else 28.
 */
export function writeMmdb(cidrs: readonly string[], family: Family): Buffer {
  const { left, right, count } = growTree(cidrs)
  const wide = count + 32 >= 2 ** 24
  const tree = Buffer.alloc(count * (wide ? 7 : 6))
  // 16 zero bytes part the tree from the data, whose first and only value every block points to
  const pointer = (record: number): number => (record === FOUND ? count + 16 : record === 0 ? count : record)
  for (let node = 0; node < count; node++) {
    const l = pointer(left[node] ?? 0)
    const r = pointer(right[node] ?? 0)
    if (!wide) {
      tree.writeUIntBE(l, node * 6, 3)
      tree.writeUIntBE(r, node * 6 + 3, 3)
      continue
    }
    tree.writeUIntBE(l & 0xffffff, node * 7, 3)
    tree[node * 7 + 3] = ((l >>> 24) << 4) | (r >>> 24)
    tree.writeUIntBE(r & 0xffffff, node * 7 + 4, 3)
  }
  const metadata = map([
    ['binary_format_major_version', uint(5, 2)],
    ['binary_format_minor_version', uint(5, 0)],
    ['build_epoch', uint(9, 1)],
    ['database_type', utf8('ipguard-bench')],
    ['description', map([])],
    ['ip_version', uint(5, family)],
    ['languages', Buffer.from([0, 11 - 7])],
    ['node_count', uint(6, count)],
    ['record_size', uint(5, wide ? 28 : 24)],
  ])
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')])
  return Buffer.concat([tree, Buffer.alloc(16), Buffer.from([1, 14 - 7]), marker, metadata])
}

/** A binary tree over the bits; shortest prefixes first, so that no node is made inside a block that holds it. */
function growTree(cidrs: readonly string[]): {
  readonly left: Int32Array
  readonly right: Int32Array
  readonly count: number
} {
  let left = new Int32Array(2 ** 16)
  let right = new Int32Array(2 ** 16)
  let count = 1
  const prefixes = cidrs.map((cidr) => parsePrefix(cidr)).sort((one, other) => one.length - other.length)
  for (const { address, length } of prefixes) {
    const words = [address.a, address.b, address.c, address.d]
    let node = 0
    for (let depth = 0; depth < length; depth++) {
      const side = (((words[depth >> 5] ?? 0) >>> (31 - (depth & 31))) & 1) === 0 ? left : right
      const next = side[node] ?? 0
      if (next === FOUND) break
      if (depth === length - 1) side[node] = FOUND
      else if (next > 0) node = next
      else {
        side[node] = count
        node = count++
        if (count === left.length) [left, right] = [widened(left), widened(right)]
      }
    }
  }
  return { left, right, count }
}

function widened(from: Int32Array): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2)
  to.set(from)
  return to
}

function utf8(text: string): Buffer {
  return Buffer.concat([
    Buffer.from(text.length < 29 ? [(2 << 5) | text.length] : [(2 << 5) | 29, text.length - 29]),
    Buffer.from(text),
  ])
}

function uint(type: 5 | 6 | 9, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  const short = bytes.subarray(type === 5 ? 2 : 0)
  return Buffer.concat([Buffer.from(type === 9 ? [short.length, 9 - 7] : [(type << 5) | short.length]), short])
}

function map(fields: readonly (readonly [name: string, value: Buffer])[]): Buffer {
  return Buffer.concat([
    Buffer.from([(7 << 5) | fields.length]),
    ...fields.flatMap(([name, value]) => [utf8(name), value]),
  ])
}
