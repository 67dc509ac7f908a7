import { describe, expect, it } from 'vitest'
import { parsePrefix } from '../ip/prefix.ts'
import { createEntry } from '../store/entry.ts'
import { createIdSet } from './id-set.ts'

const idOf = (cidr: string, policy?: string): string =>
  createEntry(parsePrefix(cidr), { kind: 'ban', by: 'manual', createdAt: 0, ...(policy !== undefined && { policy }) })
    .id

describe('a set of ids', () => {
  it('has what was added, once', () => {
    const set = createIdSet()
    const ids = Array.from({ length: 20_000 }, (_, i) =>
      idOf(i % 2 ? `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` : `2001:db8:${i.toString(16)}::/48`),
    )
    expect(ids.some((id) => set.has(id))).toBe(false)
    expect(ids.every((id) => set.add(id))).toBe(true)
    expect(ids.some((id) => set.add(id))).toBe(false)
    expect(ids.every((id) => set.has(id))).toBe(true)
    expect(set.has(idOf('192.0.2.1'))).toBe(false)
  })

  it.each([
    ['lengths', '10.0.0.0/8', '10.0.0.0/9'],
    ['families', '0.0.0.0/0', '::/0'],
  ])('tells %s apart', (_, one, other) => {
    const set = createIdSet()
    set.add(idOf(one))
    expect(set.has(idOf(other))).toBe(false)
    expect(set.add(idOf(other))).toBe(true)
  })

  it('tells scopes apart', () => {
    const set = createIdSet()
    set.add(idOf('192.0.2.1', 'a b'))
    expect(set.has(idOf('192.0.2.1', 'a'))).toBe(false)
    expect(set.add(idOf('192.0.2.1'))).toBe(true)
    expect(set.has(idOf('192.0.2.1', 'a b'))).toBe(true)
  })

  it('is empty when it was cleared', () => {
    const set = createIdSet()
    set.add(idOf('192.0.2.1'))
    set.clear()
    expect(set.has(idOf('192.0.2.1'))).toBe(false)
    expect(set.add(idOf('192.0.2.1'))).toBe(true)
  })
})
