import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addRow, createKeyTable, findRow, hash, type KeyTable, removeRow } from './key-table.ts'

type Key = readonly [a: number, b: number, c: number, d: number, tag: number]

/** A table with a seed of our own, so that a failure can be seen again. */
function tableOf(stride: number, capacity: number, room: number, seed: number): KeyTable {
  const table = createKeyTable(stride, capacity, room)
  table.seed = seed | 1
  return table
}

const word = fc.oneof(fc.nat(3), fc.constantFrom(-1, -2, 2 ** 31 - 1, -(2 ** 31)))
const key: fc.Arbitrary<Key> = fc.tuple(word, fc.nat(2), fc.constant(0), fc.nat(1), fc.integer({ min: 1, max: 3 }))
const steps = fc.array(fc.record({ add: fc.boolean(), key, payload: fc.integer() }), { maxLength: 300 })

describe('a key table', () => {
  it.each([
    ['fixed', 24, 24],
    ['growing from 1', 24, 1],
    ['growing from 3 to a capacity that is no power of two', 21, 3],
    ['roomy', 1_000, 1_000],
  ])('equals a Map on random insertions and removals: %s', (_name, capacity, room) => {
    fc.assert(
      fc.property(steps, fc.integer(), (list, seed) => {
        const table = tableOf(6, capacity, room, seed)
        const map = new Map<string, readonly [Key, number]>()
        for (const { add, key: k, payload } of list) {
          const at = findRow(table, ...k)
          const name = k.join()
          expect(at >= 0).toBe(map.has(name))
          if (add && at < 0) {
            const row = addRow(table, ...k)
            expect(row < 0).toBe(map.size === capacity)
            if (row < 0) continue
            expect(table.rows[row + 5]).toBe(0)
            table.rows[row + 5] = payload
            map.set(name, [k, payload])
          } else if (!add && at >= 0) {
            removeRow(table, at)
            map.delete(name)
          }
          expect(table.size).toBe(map.size)
          expect(table.room).toBeLessThanOrEqual(capacity)
        }
        for (const [k, payload] of map.values()) expect(table.rows[findRow(table, ...k) + 5]).toBe(payload)
        expect(table.index.filter((slot) => slot !== 0).length).toBe(map.size)
      }),
      { numRuns: 300 },
    )
  })

  it('keeps its rows through growth, at any size', () => {
    const table = tableOf(5, 100_000, 2, 12_345)
    for (let n = 0; n < 100_000; n++) addRow(table, n, ~n, 0, 0, 8)
    expect(addRow(table, -5, 0, 0, 0, 8)).toBe(-1)
    for (let n = 0; n < 100_000; n++) {
      const at = findRow(table, n, ~n, 0, 0, 8)
      expect(table.rows[at]).toBe(n)
    }
  })

  it('finds every row while rows move to a larger index, with rows that go and come on the way', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 9 }), (seed, keep) => {
        const table = tableOf(5, 2 ** 20, 64, seed)
        const held = new Set<number>()
        let state = seed
        let moving = 0
        for (let n = 0; n < 3_000; n++) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
          const k = (state >>> 8) % 4_000
          const at = findRow(table, k, 7, 0, 0, 8)
          expect(at >= 0).toBe(held.has(k))
          if (at < 0) {
            addRow(table, k, 7, 0, 0, 8)
            held.add(k)
          } else if ((state >>> 4) % keep === 0) {
            removeRow(table, at)
            held.delete(k)
          }
          if (table.old) moving++
        }
        expect(moving).toBeGreaterThan(20)
        expect(table.size).toBe(held.size)
        for (let k = 0; k < 4_000; k++) {
          const at = findRow(table, k, 7, 0, 0, 8)
          expect(at < 0 ? undefined : table.rows[at]).toBe(held.has(k) ? k : undefined)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('finds nothing when empty, and draws its seed with the first row only', () => {
    const table = createKeyTable(5, 8)
    expect([findRow(table, 0, 0, 0, 0, 8), table.seed]).toEqual([-1, 0])
    addRow(table, 1, 2, 3, 4, 8)
    expect(table.seed).not.toBe(0)
  })

  it.each([
    ['a and b', [1 << 31, 0x80040000, 0, 0]],
    ['a and b, as a shift by 15 and by 16 leave it', [1 << 31, 0x80010000, 0, 0]],
    ['b and c', [0, 1 << 31, 0x80008000, 0]],
    ['c and d', [0, 0, 1 << 31, 0x80010000]],
  ] as const)('has no pair of keys that collides under every seed: top bits of %s', (_name, [a, b, c, d]) => {
    let collisions = 0
    for (let seed = 1; seed < 2_000; seed += 2) {
      const s = Math.imul(seed, 0x9e3779b1)
      const other = hash(s, 0x20010db8 ^ a, 5 ^ b, 7 ^ c, 9 ^ d, 14)
      if (hash(s, 0x20010db8, 5, 7, 9, 14) === other) collisions++
    }
    expect(collisions).toBeLessThan(100)
  })

  it('keeps probes short for keys that count up, as addresses of one block do', () => {
    const table = tableOf(5, 65_536, 65_536, 99)
    for (let n = 0; n < 65_536; n++) addRow(table, 0x20010db8, n, 0, 0, 14)
    let longest = 0
    let run = 0
    for (const slot of table.index) {
      run = slot === 0 ? 0 : run + 1
      longest = Math.max(longest, run)
    }
    // At half full, runs of linear probing with a good hash stay in the dozens.
    expect(longest).toBeLessThan(200)
  })
})
