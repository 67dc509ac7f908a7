import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Address, parseAddress } from '../ip/address.ts'
import { createVerdictTable } from './verdict-table.ts'

const address = (i: number): Address => ({ family: 4, a: i, b: 0, c: 0, d: 0 })

test('finds a row by its address alone, and tells the families apart', () => {
  const table = createVerdictTable()
  const row = table.change(address(1), 10)
  expect(table.find(address(1))).toBe(row)
  expect(table.find(address(2))).toBeUndefined()
  expect(table.find({ ...address(1), family: 6 })).toBeUndefined()
  expect(table.find(parseAddress('0.0.0.1') as Address)).toBe(row)
})

test('a change forgets what was made of the row, and keeps what was told', () => {
  const table = createVerdictTable()
  const row = table.change(address(1), 10)
  row.told[0] = { at: 1, freshUntil: 2, staleUntil: 3 }
  row.made[0] = {}
  table.pass(address(1), 0, 1000, 60_000)
  expect(table.passes(address(1), 0, 1000)).toBe(true)
  expect(table.change(address(1), 10)).toBe(row)
  expect(row.told).toHaveLength(1)
  expect(row.made).toHaveLength(0)
  expect(table.passes(address(1), 0, 1000)).toBe(false)
})

test('passes until its time and no later, for each policy apart', () => {
  const table = createVerdictTable()
  table.change(address(1), 10)
  const start = Date.UTC(2040, 0, 1)
  table.pass(address(1), 1, start, start + 2_592_000_000)
  expect(table.passes(address(1), 1, start + 2_592_000_000 - 1001)).toBe(true)
  expect(table.passes(address(1), 1, start + 2_592_000_000)).toBe(false)
  expect(table.passes(address(1), 0, start)).toBe(false)
  table.pass(address(1), 7, start, start + 60_000)
  expect(table.passes(address(1), 7, start)).toBe(false)
  expect(table.passes(address(2), 1, start)).toBe(false)
})

describe('when full', () => {
  test('rows met again outlive a flood of rows met once', () => {
    const table = createVerdictTable()
    for (let i = 0; i < 100; i++) table.change(address(i), 1000)
    for (let i = 100; i < 50_000; i++) {
      table.change(address(i), 1000)
      if (i % 50 === 0) for (let known = 0; known < 100; known++) table.find(address(known))
    }
    const kept = Array.from({ length: 100 }, (_, i) => table.find(address(i))).filter(Boolean)
    expect(kept).toHaveLength(100)
  })

  test('holds no more than it may and finds what it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (asked, most) => {
        const table = createVerdictTable()
        for (const i of asked) {
          table.change(address(i), most).told[0] = { at: i, freshUntil: 0, staleUntil: 0 }
          expect(table.find(address(i))?.told[0]?.at).toBe(i)
        }
        const held = Array.from({ length: 201 }, (_, i) => table.find(address(i))).filter(Boolean)
        expect(held.length).toBe(Math.min(most, new Set(asked).size))
      }),
    )
  })
})
