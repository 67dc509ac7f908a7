import { parsePrefix } from '@ipguard/core'

/** A value that a database can hold. */
type Value = string | number | boolean | { readonly [key: string]: Value }

interface Database {
  readonly type: string
  readonly ipVersion: 4 | 6
  readonly networks: Readonly<Record<string, Value>>
}

type Node = [Branch, Branch]
type Branch = Node | { readonly record: number } | undefined

/**
 * The bytes of a small MaxMind DB (format 2.0, records of 24 bits), for files that a test needs and nobody publishes. Networks must not overlap.
 * In an IPv6 database IPv4 networks are under ::/96.
 */
export function writeMmdb({ type, ipVersion, networks }: Database): Uint8Array {
  const data: number[] = []
  const root: Node = [undefined, undefined]
  for (const [cidr, value] of Object.entries(networks)) {
    const { address, length } = parsePrefix(cidr)
    const words =
      address.family === 4 && ipVersion === 6 ? [0, 0, 0, address.a] : [address.a, address.b, address.c, address.d]
    insert(root, words, address.family === 4 && ipVersion === 6 ? length + 96 : length, data.length)
    data.push(...encode(value))
  }
  const nodes: Node[] = []
  const numbers = new Map<Node, number>()
  number(root)
  const pointer = (branch: Branch): number =>
    branch === undefined
      ? nodes.length
      : Array.isArray(branch)
        ? (numbers.get(branch) ?? 0)
        : nodes.length + 16 + branch.record
  const tree = nodes.flatMap((node) => node.flatMap((branch) => bytes(pointer(branch), 3)))
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_790_000_000,
    database_type: type,
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: 24,
  })
  const marker = [0xab, 0xcd, 0xef, ...new TextEncoder().encode('MaxMind.com')]
  return new Uint8Array([...tree, ...bytes(0, 16), ...data, ...marker, ...metadata])

  function number(node: Node): void {
    numbers.set(node, nodes.length)
    nodes.push(node)
    for (const branch of node) if (Array.isArray(branch)) number(branch)
  }
}

function insert(root: Node, words: readonly number[], length: number, record: number): void {
  let node = root
  for (let i = 0; i < length; i++) {
    const bit = ((words[i >> 5] ?? 0) >>> (31 - (i & 31))) & 1
    if (i === length - 1) {
      node[bit] = { record }
      return
    }
    const next: Branch = node[bit] ?? [undefined, undefined]
    if (!Array.isArray(next)) throw new Error('Networks overlap.')
    node[bit] = next
    node = next
  }
}

function encode(value: Value): readonly number[] {
  if (typeof value === 'string') {
    const text = new TextEncoder().encode(value)
    return [...control(2, text.length), ...text]
  }
  if (typeof value === 'number') {
    const size = value === 0 ? 0 : Math.ceil(Math.log2(value + 1) / 8)
    return [...control(6, size), ...bytes(value, size)]
  }
  if (typeof value === 'boolean') return control(14, value ? 1 : 0)
  const entries = Object.entries(value)
  return [...control(7, entries.length), ...entries.flatMap(([key, each]) => [...encode(key), ...encode(each)])]
}

function control(type: number, size: number): readonly number[] {
  const [low, more] = size < 29 ? [size, []] : [29, [size - 29]]
  return type < 8 ? [(type << 5) | low, ...more] : [low, type - 7, ...more]
}

function bytes(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** (count - 1 - i)) % 256)
}
