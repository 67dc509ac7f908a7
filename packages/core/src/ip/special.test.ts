import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { parseAddress } from './address.ts'
import { formatPrefix, maskAddress, type Prefix, parsePrefix, prefixContains } from './prefix.ts'
import { classifyAddress, subtractSpecial } from './special.ts'

test.each([
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['0.1.2.3', 'reserved'],
  ['127.255.0.1', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', undefined],
  ['192.168.1.1', 'private'],
  ['::ffff:192.168.1.1', 'private'],
  ['100.64.0.1', 'shared'],
  ['100.128.0.0', undefined],
  ['169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fc00::1', 'unique-local'],
  ['fdff::1', 'unique-local'],
  ['fec0::1', 'reserved'],
  ['192.0.2.1', 'documentation'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.1', 'documentation'],
  ['2001:db8::1', 'documentation'],
  ['3fff:fff::1', 'documentation'],
  ['198.19.0.1', 'benchmarking'],
  ['2001:2::1', 'benchmarking'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['255.255.255.254', 'reserved'],
  ['240.0.0.1', 'reserved'],
  ['192.0.0.1', 'reserved'],
  ['192.0.0.9', undefined], // PCP anycast is globally reachable
  ['192.88.99.1', 'reserved'],
  ['64:ff9b::10.0.0.1', 'translation'],
  ['64:ff9b:1::1', 'translation'],
  ['2002:7f00:1::', 'tunnel'],
  ['2001:0:1::1', 'tunnel'],
  ['2001:1::1', undefined],
  ['2001:1::4', 'reserved'],
  ['2001:4:112::1', undefined],
  ['100::1', 'discard'],
  ['::7f00:1', 'reserved'], // IPv4-compatible, deprecated
  ['5f00::1', 'reserved'], // SRv6
  ['4000::1', 'reserved'],
  ['8.8.8.8', undefined],
  ['2001:4860:4860::8888', undefined],
  ['2a00::1', undefined],
])('%s is %s', (text, range) => {
  expect(classifyAddress(parseAddress(text)!)).toBe(range)
})

/** ipaddr.js names for ours, where it has one. */
const THEIRS: Readonly<Record<string, string>> = {
  unspecified: 'unspecified',
  loopback: 'loopback',
  private: 'private',
  carrierGradeNat: 'shared',
  linkLocal: 'link-local',
  uniqueLocal: 'unique-local',
  multicast: 'multicast',
  broadcast: 'broadcast',
}

test('agrees with ipaddr.js about the ranges that it names', () => {
  const text = fc.oneof(
    fc
      .tuple(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 224, 255), fc.nat(255), fc.nat(255), fc.nat(255))
      .map((octets) => octets.join('.')),
    fc
      .tuple(fc.constantFrom('fc', 'fd', 'fe', 'ff', '20'), fc.nat(255))
      .map(([top, low]) => `${top}${low.toString(16).padStart(2, '0')}::1`),
  )
  fc.assert(
    fc.property(text, (ip) => {
      const expected = THEIRS[ipaddr.process(ip).range()]
      // ipaddr.js calls all of 0.0.0.0/8 unspecified
      if (expected && !/^0\.(?!0\.0\.0$)/.test(ip)) expect(classifyAddress(parseAddress(ip)!)).toBe(expected)
    }),
    { numRuns: 2000 },
  )
})

describe('subtractSpecial', () => {
  const left = (cidr: string): readonly string[] => subtractSpecial(parsePrefix(cidr)).map(formatPrefix)

  test.each([
    ['8.8.8.8', ['8.8.8.8/32']],
    ['10.1.2.3', []],
    ['10.0.0.0/8', []],
    ['224.0.0.0/3', []],
    ['0.0.0.0/8', []],
    ['172.16.0.0/11', ['172.0.0.0/12']],
    ['192.168.0.0/15', ['192.169.0.0/16']],
    ['192.0.0.0/24', ['192.0.0.9/32', '192.0.0.10/32']],
    ['192.0.0.8/30', ['192.0.0.9/32', '192.0.0.10/32']],
    ['2001:db8::/31', ['2001:db9::/32']],
    ['2001:4:112::/47', ['2001:4:112::/48']],
    ['2a00::/12', ['2a00::/12']],
    ['fc00::/6', []],
    ['4000::/2', []],
  ])('%s leaves %j', (cidr, parts) => {
    expect([...left(cidr)].sort()).toEqual([...parts].sort())
  })

  test('leaves what classifyAddress does not name, and nothing else', () => {
    const near = fc.constantFrom(
      '0.0.0.0',
      '10.0.0.0',
      '100.64.0.0',
      '192.0.0.8',
      '203.0.113.0',
      '2001::',
      '2001:db8::',
      'fe80::',
      '3fff::',
    )
    fc.assert(
      fc.property(
        near,
        fc.nat(128),
        fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()),
        (base, bits, noise) => {
          const start = parseAddress(base)!
          const length = bits % (start.family === 4 ? 33 : 129)
          const prefix: Prefix = { address: maskAddress(start, length), length }
          const parts = subtractSpecial(prefix)
          const free = maskAddress(
            { family: start.family, a: noise[0], b: noise[1], c: noise[2], d: noise[3] },
            start.family === 4 ? 32 : 128,
          )
          const host = maskAddress(free, length)
          const { a, b, c, d } = prefix.address
          const inside = {
            ...free,
            a: a | (free.a ^ host.a),
            b: b | (free.b ^ host.b),
            c: c | (free.c ^ host.c),
            d: d | (free.d ^ host.d),
          }
          expect(parts.filter((part) => prefixContains(part, inside)).length).toBe(classifyAddress(inside) ? 0 : 1)
          expect(parts.every((part) => prefixContains(prefix, part.address) && part.length >= length)).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
  })
})
