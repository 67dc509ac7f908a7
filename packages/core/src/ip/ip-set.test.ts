import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IpGuardError } from '../errors.ts'
import { type Address, formatAddress } from './address.ts'
import { buildIpSet, ipSet, ipSetFromBytes } from './ip-set.ts'
import { formatPrefix, maskAddress, type Prefix, parsePrefix, prefixContains } from './prefix.ts'
import type { IpSetEntry } from './set-entries.ts'

/** A seeded generator: the lists are many, and the same in every run that fails. */
function numbers(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Addresses that crowd together, so that blocks nest, touch and repeat, also at both ends of a word. */
function someAddress(next: (below: number) => number, family: 4 | 6): Address {
  const word = (): number =>
    [0, -1, 1, 0x7fffffff, -0x80000000, next(4) << 30, next(16), next(4) << 14, next(2 ** 32) | 0][next(9)] ?? 0
  if (family === 4) return { family, a: word(), b: 0, c: 0, d: 0 }
  return { family, a: [0x20010db8, 0x20010db9, 0, -1][next(4)] ?? 0, b: word(), c: word(), d: word() }
}

interface Labelled {
  readonly prefix: Prefix
  readonly label: string | undefined
}

function someList(next: (below: number) => number, labelled: boolean, most = 12): readonly Labelled[] {
  return Array.from({ length: next(most) }, () => {
    const family = next(2) ? 4 : 6
    const length = family === 4 ? next(33) : ([next(129), 32, 33, 48, 64, 65, 96, 128][next(8)] ?? 0)
    const address = maskAddress(someAddress(next, family), length)
    return { prefix: { address, length }, label: labelled && next(4) ? 'abc'[next(3)] : undefined }
  })
}

function entryOf({ prefix, label }: Labelled): IpSetEntry {
  const cidr = formatPrefix(prefix)
  return label === undefined ? cidr : { cidr, label }
}

/** Addresses near the list: ends of its blocks and their neighbours, and any others. */
function probes(next: (below: number) => number, list: readonly Labelled[]): readonly Address[] {
  const ends = list.flatMap(({ prefix: { address, length } }) => {
    const low = maskAddress({ ...address, a: -1, b: -1, c: -1, d: -1 }, length)
    const last = {
      ...address,
      a: address.a | ~low.a,
      b: address.b | ~low.b,
      c: address.c | ~low.c,
      d: address.d | ~low.d,
    }
    return [address, address.family === 4 ? { ...last, b: 0, c: 0, d: 0 } : last]
  })
  const shifted = ends.flatMap((end) =>
    end.family === 4
      ? [
          { ...end, a: (end.a + 1) | 0 },
          { ...end, a: (end.a - 1) | 0 },
        ]
      : [
          { ...end, d: (end.d + 1) | 0 },
          { ...end, b: (end.b - 1) | 0 },
        ],
  )
  return [...ends, ...shifted, someAddress(next, 4), someAddress(next, 6)].filter(
    ({ family, a, b, c }) => family === 4 || a !== 0 || b !== 0 || c !== 0xffff,
  )
}

function naiveLongest(list: readonly Labelled[], address: Address): Labelled | undefined {
  let best: Labelled | undefined
  for (const entry of list) {
    if (prefixContains(entry.prefix, address) && (!best || entry.prefix.length > best.prefix.length)) best = entry
  }
  return best
}

describe('ipSet', () => {
  test('membership and longest prefix equal a naive scan on 10,000 random lists', () => {
    for (let seed = 0; seed < 10_000; seed++) {
      const next = numbers(seed)
      // mostly short, some with many buckets, two past the size where the sort takes wider digits
      const list = someList(next, seed % 2 === 1, seed < 2 ? 40_000 : seed % 100 < 2 ? 300 : 12)
      const set = ipSet(list.map(entryOf))
      const labelled = list.some(({ label }) => label !== undefined)
      for (const address of probes(next, list.length > 300 ? list.slice(-100) : list)) {
        const text = formatAddress(address)
        const best = naiveLongest(list, address)
        const found = set.lookupAddress(address)
        const answer = [set.has(text), set.hasAddress(address), found !== undefined]
        if (answer.some((one) => one !== (best !== undefined)))
          expect.fail(`seed ${seed}: ${text} gives ${answer.join()}`)
        if (best === undefined || found === undefined) continue
        if (labelled) {
          const { cidr } = parsed(found.cidr)
          if (cidr !== formatPrefix(best.prefix) || found.label !== best.label)
            expect.fail(`seed ${seed}: ${text} gives ${JSON.stringify(found)}`)
        } else if (
          parsePrefix(found.cidr).length > best.prefix.length ||
          !prefixContains(parsePrefix(found.cidr), address)
        ) {
          expect.fail(`seed ${seed}: ${text} gives ${found.cidr}`)
        }
      }
    }
  })

  test('without labels, look-up answers the largest block around the address that lies in the set', () => {
    const set = ipSet([
      '10.0.0.0/9',
      '10.128.0.0/9',
      '11.0.0.0/8',
      '2001:db8::/33',
      '2001:db8:8000::/33',
      '2001:db9::/32',
    ])
    expect(set.size).toBe(6)
    expect(set.lookup('11.2.3.4')).toEqual({ cidr: '10.0.0.0/7' })
    expect(set.lookup('2001:db8::1')).toEqual({ cidr: '2001:db8::/31' })
    expect(ipSet(['10.0.0.1', '10.0.0.2', '10.0.0.3']).lookup('10.0.0.3')).toEqual({ cidr: '10.0.0.2/31' })
    expect(ipSet(['0.0.0.0/1', '128.0.0.0/1']).lookup('1.2.3.4')).toEqual({ cidr: '0.0.0.0/0' })
  })

  test('with labels, look-up answers the longest prefix, and of equal ones the first', () => {
    const set = ipSet([
      { cidr: '10.0.0.0/8', label: 'a' },
      '10.1.0.0/16',
      { cidr: '10.0.0.0/8', label: 'b' },
      { cidr: '::/0', label: '' },
    ])
    expect(set.lookup('10.2.3.4')).toEqual({ cidr: '10.0.0.0/8', label: 'a' })
    expect(set.lookup('10.1.3.4')).toEqual({ cidr: '10.1.0.0/16' })
    expect(set.lookup('2001:db8::1')).toEqual({ cidr: '::/0', label: '' })
    expect(set.lookup('11.0.0.0')).toBeUndefined()
    expect(set.size).toBe(3)
  })

  test('keeps thousands of labels apart', () => {
    for (const count of [300, 70_000]) {
      const cidr = (i: number): string =>
        formatPrefix({ address: { family: 4, a: i << 8, b: 0, c: 0, d: 0 }, length: 24 })
      const set = ipSet(Array.from({ length: count }, (_, i) => ({ cidr: cidr(i), label: `list ${i}` })))
      for (const i of [0, 1, 254, 255, 256, 299, count - 1])
        expect(set.lookup(cidr(i).replace('0/24', '7'))).toEqual({ cidr: cidr(i), label: `list ${i}` })
      expect(ipSetFromBytes(set.toBytes()).lookup(cidr(count - 1).slice(0, -3))?.label).toBe(`list ${count - 1}`)
    }
  })

  test('bits, not spelling, decide membership', () => {
    const set = ipSet(['::ffff:10.0.0.0/104', '2001:db8::/32'])
    for (const text of ['10.1.2.3', '::ffff:10.1.2.3', '::ffff:a01:203', '2001:DB8:0::1'])
      expect(set.has(text)).toBe(true)
    for (const text of ['::10.1.2.3', '64:ff9b::10.1.2.3', '010.1.2.3', '10.1.2.3 ', '2001:db8::1%eth0', ''])
      expect(set.has(text)).toBe(false)
    expect(ipSet(['::/0']).has('::ffff:10.0.0.1')).toBe(false)
  })

  test('no value makes a look-up throw', () => {
    const set = ipSet(['10.0.0.0/8'])
    fc.assert(fc.property(fc.anything(), (value) => void [set.has(value as string), set.lookup(value as string)]))
  })

  test('reads lines of a text list: blanks, blank lines and comments are skipped', () => {
    const set = ipSet(['# list', '', ' \t', '10.0.0.0/8 ; office', '\t192.0.2.1 # one\r', '2001:db8::/32\r\n'])
    expect(set.size).toBe(3)
    for (const text of ['10.0.0.1', '192.0.2.1', '2001:db8::1']) expect(set.has(text)).toBe(true)
  })

  test('host bits are zeroed and reported, up to 100 entries', () => {
    const set = ipSet(['10.1.2.3/8 # typo', '10.0.0.0/8', '2001:db8::1/32', '::ffff:10.0.0.1/104'])
    expect(set.masked).toEqual(['10.1.2.3/8', '2001:db8::1/32', '10.0.0.1/8'])
    expect(set.size).toBe(2)
    expect(ipSet(Array.from({ length: 300 }, (_, i) => `10.0.${i % 200}.1/16`)).masked).toHaveLength(100)
  })

  test.each([
    [
      ['10.0.0.0/8', '', '10.0.0.0/33'],
      'Line 3 of the list is not a CIDR: "10.0.0.0/33". Write it as "10.0.0.0/n" with n from 0 to 32.',
    ],
    [['::ffff:10.0.0.0/8'], 'Line 1 of the list is not a CIDR: "::ffff:10.0.0.0/8". Write it as "10.0.0.0/8".'],
    [['1.2.3.4 5.6.7.8'], 'Line 1 of the list is not a CIDR: "1.2.3.4 5.6.7.8"'],
    [['1.2.3.4', { cidr: ' 10.0.0.0/8' }], 'Line 2 of the list is not a CIDR: " 10.0.0.0/8"'],
    [[null], 'Line 1 of the list is not a CIDR: undefined. Write it as text'],
    [[7], 'Line 1 of the list is not a CIDR: undefined. Write it as text'],
    [[{ cidr: '10.0.0.0/8', label: 7 }], 'The label of line 1 is 7. Write a string.'],
    ['10.0.0.0/8', 'The list of a set is "10.0.0.0/8". Write an array or another iterable of lines.'],
    [undefined, 'The list of a set is undefined. Write an array'],
    [{}, 'The list of a set is an object. Write an array'],
  ])('refuses %j, naming line and reason', async (entries, message) => {
    expect(() => ipSet(entries as string[])).toThrow(message)
    await expect(buildIpSet(entries as string[])).rejects.toThrow(message)
    expect(() => ipSet(entries as string[])).toThrow(IpGuardError)
  })

  test('an empty list makes a set that holds nothing', () => {
    const set = ipSet([])
    expect([
      set.size,
      set.has('0.0.0.0'),
      set.has('::'),
      set.lookup('::'),
      ipSetFromBytes(set.toBytes()).has('::'),
    ]).toEqual([0, false, false, undefined, false])
  })

  test('takes at most 10 bytes an IPv4 entry and 14 an IPv6 entry', () => {
    const next = numbers(1)
    const word = (): number => next(2 ** 32) | 0
    const list = (family: 4 | 6): string[] =>
      Array.from({ length: 50_000 }, () =>
        formatPrefix({
          address: maskAddress({ family, a: word(), b: family === 4 ? 0 : word(), c: 0, d: 0 }, family === 4 ? 32 : 64),
          length: family === 4 ? 32 : 64,
        }),
      )
    expect(ipSet(list(4)).bytes / 50_000).toBeLessThan(10)
    expect(ipSet(list(6)).bytes / 50_000).toBeLessThan(14)
  })
})

describe('overlaps', () => {
  test.each([
    [['10.0.0.0/8'], ['10.1.0.0/16'], '10.1.0.0/16'],
    [['10.1.0.0/16'], ['11.0.0.0/8', '10.0.0.0/8'], '10.1.0.0/16'],
    [['10.0.0.1'], ['10.0.0.1', '10.0.0.2'], '10.0.0.1/32'],
    [['10.0.0.0/8'], ['11.0.0.0/8', '2001:db8::/32'], undefined],
    [['::/0'], ['2001:db8::1'], '2001:db8::1/128'],
    [['2001:db8::/48'], ['2001:db8::/32'], '2001:db8::/48'],
    [['2001:db8:1::/48'], ['2001:db8::/48'], undefined],
    [['::/0'], ['0.0.0.0/0'], undefined],
    [[], ['0.0.0.0/0'], undefined],
  ])('%j and %j share %s', (one, two, cidr) => {
    expect(ipSet(one).overlaps(ipSet(two))).toBe(cidr)
    expect(ipSet(two).overlaps(ipSet(one))).toBe(cidr)
  })

  test('equals a naive comparison, and names a block of both', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const next = numbers(seed)
      const [one, two] = [someList(next, seed % 2 === 0), someList(next, false)]
      const [left, right] = [ipSet(one.map(entryOf)), ipSet(two.map(entryOf))]
      const naive = one.some((x) =>
        two.some((y) => prefixContains(x.prefix, y.prefix.address) || prefixContains(y.prefix, x.prefix.address)),
      )
      const shared = left.overlaps(right)
      expect(shared !== undefined, `seed ${seed}`).toBe(naive)
      if (shared) expect([left, right].map((set) => set.hasAddress(parsePrefix(shared).address))).toEqual([true, true])
    }
  })
})

function parsed(cidr: string): { cidr: string } {
  return { cidr: formatPrefix(parsePrefix(cidr)) }
}
