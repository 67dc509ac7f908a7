import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../ip/address.ts'
import { formatPrefix, maskAddress, parsePrefix, prefixContains } from '../ip/prefix.ts'
import { createEntry, type Entry, entryScope } from './entry.ts'
import { createEntryTable, type EntryTable } from './entry-table.ts'

function entry(cidr: string, expiresAt?: number, fields: Partial<Entry> = {}): Entry {
  const { kind = 'ban', ...rest } = fields
  return createEntry(parsePrefix(cidr), {
    kind,
    createdAt: 0,
    by: 'test',
    ...(expiresAt !== undefined && { expiresAt }),
    ...rest,
  })
}

const end = (each: Entry | undefined): number => (each ? (each.expiresAt ?? Number.POSITIVE_INFINITY) : 0)
const ids = (table: EntryTable, now = 0): readonly string[] => [...table.list(now)].map(({ id }) => id).sort()

const cidrs = fc.tuple(fc.boolean(), fc.nat(7), fc.nat(3), fc.nat(128)).map(([six, x, y, length]) => {
  const address = parseAddress(six ? `2001:db8:${x}:${y}00::${y}` : `198.51.${x}.${y}`)!
  const bits = six ? length : length % 33
  return formatPrefix({ address: maskAddress(address, bits), length: bits })
})
const scoped = fc.constantFrom<Partial<Entry>>(
  {},
  { kind: 'allow' },
  { kind: 'deny' },
  { policy: 'p' },
  { policy: 'p', shadow: true },
)
const entries = fc
  .tuple(cidrs, fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }), scoped)
  .map(([cidr, expiresAt, fields]) => entry(cidr, expiresAt, fields))

describe('an entry table', () => {
  it('equals a naive scan on random entries: match, exact, list, counts', () => {
    const steps = fc.array(
      fc.record({ put: fc.array(entries, { maxLength: 6 }), remove: fc.option(fc.nat(20)), wait: fc.nat(10) }),
      { maxLength: 25 },
    )
    fc.assert(
      fc.property(steps, fc.array(cidrs, { minLength: 1, maxLength: 8 }), (list, asked) => {
        const table = createEntryTable()
        const naive = new Map<string, Entry>()
        let now = 0
        for (const { put, remove, wait } of list) {
          now += wait
          table.put(put, now)
          for (const each of put) {
            const before = naive.get(each.id)
            if (each.kind !== 'ban' || !before || end(before) <= now || end(before) < end(each))
              naive.set(each.id, each)
          }
          const gone = remove === null ? undefined : [...naive.keys()][remove]
          if (gone !== undefined) {
            expect(table.remove([gone]).removed?.length).toBeLessThanOrEqual(1)
            naive.delete(gone)
          }
          const live = [...naive.values()].filter((each) => end(each) > now)
          expect(ids(table, now)).toEqual(live.map(({ id }) => id).sort())
          for (const text of asked) {
            const { address, length } = parsePrefix(text)
            for (const scope of ['ban', 'allow', 'deny', 'ban "p"', 'ban shadow "p"']) {
              const inScope = live.filter((each) => entryScope(each) === scope)
              const covering = inScope.filter(({ cidr }) => prefixContains(parsePrefix(cidr), address))
              expect(end(table.match(scope, address, now))).toBe(Math.max(0, ...covering.map(end)))
              expect(table.exact(scope, address, length, now)?.id).toBe(inScope.find(({ cidr }) => cidr === text)?.id)
            }
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('finds siblings: those that share the next shorter prefix, in the same scope', () => {
    const table = createEntryTable()
    const inside = ['2001:db8:0:100::/64', '2001:db8:0:1ff::/64', '2001:db8:0:180::/64'].map((cidr) => entry(cidr, 9))
    const outside = [
      entry('2001:db8:0:200::/64', 9),
      entry('2001:db8:0:100::/56', 9),
      entry('2001:db8:0:101::/64', 9, { policy: 'p' }),
    ]
    table.put([...inside, ...outside], 0)
    expect(
      table
        .siblings(inside[0]!, 0)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(inside.map(({ id }) => id).sort())
    expect(table.siblings(entry('203.0.113.1/32', 9), 0)).toEqual([])
    expect(table.siblings(inside[0]!, 9)).toEqual([])
    const wide = ['2001:db8::/56', '2001:db8:0:ff00::/56'].map((cidr) => entry(cidr, 9))
    const hosts = ['203.0.113.0/32', '203.0.113.255/32'].map((cidr) => entry(cidr, 9))
    table.put([...wide, ...hosts], 0)
    expect(table.siblings(wide[0]!, 0).length).toBe(3)
    expect(table.siblings(hosts[0]!, 0)).toEqual(hosts)
  })
})

describe('the cap on bans', () => {
  it('lets the ban nearest its end go, told once for each', () => {
    const gone: string[] = []
    const table = createEntryTable({ maxBans: 3, onFull: ({ cidr }) => gone.push(cidr) })
    for (const [i, until] of [50, 20, 40, 30, 60].entries()) table.put([entry(`203.0.113.${i}/32`, until)], 0)
    expect(gone).toEqual(['203.0.113.1/32', '203.0.113.3/32'])
    expect(table.bans).toBe(3)
  })

  it('never counts allow and deny entries, and lets no permanent ban go before one with an end', () => {
    const table = createEntryTable({ maxBans: 2 })
    table.put([entry('203.0.113.1/32'), entry('203.0.113.2/32', 5), entry('203.0.113.3/32')], 0)
    table.put(
      Array.from({ length: 9 }, (_, i) => entry(`198.51.100.${i}/32`, 5, { kind: i % 2 ? 'allow' : 'deny' })),
      0,
    )
    expect(table.size).toBe(11)
    expect([...table.list(0)].filter(({ kind }) => kind === 'ban').map(({ cidr }) => cidr)).toEqual([
      '203.0.113.1/32',
      '203.0.113.3/32',
    ])
  })

  it('reclaims what has ended without a word', () => {
    const gone: string[] = []
    const table = createEntryTable({ maxBans: 2, onFull: ({ cidr }) => gone.push(cidr) })
    for (let n = 0; n < 50; n++) table.put([entry(`203.0.113.${n}/32`, n + 1)], n)
    expect([gone, table.bans <= 2]).toEqual([[], true])
  })

  it('holds the longest bans, on random ends: each newcomer costs the one that is nearest its end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 90 }),
        (ends, cap) => {
          const table = createEntryTable({ maxBans: cap })
          let naive: Entry[] = []
          ends.forEach((until, i) => {
            const next = entry(`203.0.${i >> 8}.${i & 255}/32`, until)
            table.put([next], 0)
            if (naive.length === cap) naive = naive.sort((x, y) => end(y) - end(x)).slice(0, -1)
            naive.push(next)
            expect(table.bans).toBe(naive.length)
          })
          // Which of two with the same end goes is free.
          expect([...table.list(0)].map((each) => String(end(each))).sort()).toEqual(
            naive.map((each) => String(end(each))).sort(),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('merges siblings into a ban that ends with the last of them, and answers what changed', () => {
    const table = createEntryTable({ maxBans: 4 })
    const siblings = Array.from({ length: 5 }, (_, i) => entry(`2001:db8:0:10${i}::/64`, 10 + i))
    table.put(siblings.slice(0, 4), 0)
    const change = table.put(siblings.slice(4), 0)
    // The four made room for the fifth, which stands beside.
    expect([...table.list(0)].map(({ cidr, expiresAt }) => `${cidr} ${expiresAt}`).sort()).toEqual([
      '2001:db8:0:100::/56 13',
      '2001:db8:0:104::/64 14',
    ])
    expect(change.put?.map(({ cidr }) => cidr)).toEqual(['2001:db8:0:100::/56', '2001:db8:0:104::/64'])
    expect(change.removed).toEqual(siblings.slice(0, 4).map(({ id }) => id))
  })

  it('a copy that follows the changes holds the same', () => {
    const at = fc.tuple(fc.nat(3), fc.nat(3), fc.integer({ min: 1, max: 50 }))
    fc.assert(
      fc.property(fc.array(at, { maxLength: 120 }), fc.integer({ min: 2, max: 12 }), (list, cap) => {
        const table = createEntryTable({ maxBans: cap })
        const copy = createEntryTable()
        for (const [x, y, until] of list) {
          const { put = [], removed = [] } = table.put([entry(`2001:db8:${x}:${y}0${y}::/64`, until)], 0)
          copy.remove(removed)
          copy.put(put, 0)
          expect(table.bans).toBeLessThanOrEqual(cap)
          expect(ids(copy)).toEqual(ids(table))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('does not grow with bans that come and end below the cap', () => {
    const table = createEntryTable({ maxBans: 200 })
    for (let n = 0; n < 300; n++) table.put([entry(`203.0.${n >> 8}.${n & 255}/32`, 1_000_000)], 0)
    const started = performance.now()
    for (let n = 0; n < 40_000; n++) {
      const short = entry(`198.51.${(n >> 8) & 255}.${n & 255}/32`, 500_000 - n)
      table.put([short], 0)
      table.remove([short.id])
    }
    // What piles up would be searched for each: seconds.
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(table.bans).toBeLessThanOrEqual(200)
  })
})
