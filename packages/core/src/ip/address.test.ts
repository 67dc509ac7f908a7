import { isIP } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { formatAddress, normalizeIp, parseAddress } from './address.ts'

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const v4 = word.map((a) => formatAddress({ family: 4, a, b: 0, c: 0, d: 0 }))
const sparse = fc.oneof(fc.constant(0), word)
const v6 = fc
  .tuple(sparse, sparse, sparse, sparse)
  .filter(([a, b, c]) => a !== 0 || b !== 0 || c !== 0xffff)
  .map(([a, b, c, d]) => ({ family: 6, a, b, c, d }) as const)

/** Text from the alphabet of addresses: mostly wrong, often nearly right. */
const nearly = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefABCDEF:.%/x')), maxLength: 48 }),
  fc
    .array(fc.constantFrom('0', '1', '00', 'ffff', '2001', 'fe80', ':', '::', '1.2.3.4', '%eth0', '.', '255', 'g'), {
      maxLength: 14,
    })
    .map((parts) => parts.join('')),
  fc.tuple(v6, fc.nat({ max: 40 }), fc.constantFrom('', ':', '0', '.', '::')).map(([address, at, part]) => {
    const text = formatAddress(address)
    return text.slice(0, at) + part + text.slice(at + 1)
  }),
)

/** Where another parser takes what we refuse: who, which text, why. */
const DIFFERENCES: readonly (readonly [who: string, text: string, reason: string])[] = [
  ['ipaddr.js', '010.0.0.1', 'leading zeros are octal to some readers (CVE-2021-28918)'],
  ['ipaddr.js', '0x7f.0.0.1', 'hexadecimal octets (CVE-2023-42282)'],
  ['ipaddr.js', '127.1', 'short forms (CVE-2024-29415)'],
  ['ipaddr.js', '2130706433', 'a whole number as an address'],
  ['ipaddr.js', '2001:db8::1%eth0', 'a zone means nothing outside link-local'],
  ['net.isIP', '2001:db8::1%eth0', 'a zone means nothing outside link-local'],
  ['net.isIP', '::ffff:127.0.0.1%1', 'a zone means nothing outside link-local'],
  ['net.isIP', `fe80::1%${'a'.repeat(33)}`, 'a zone is the name of an interface, which is bounded'],
]

/** IPv4-compatible: ipaddr.js makes it the mapped address, though RFC 4291 2.5.5 tells them apart. We keep it IPv6. */
const COMPATIBLE = /^::\d+\.\d+\.\d+\.\d+$/

describe('normalizeIp', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // RFC 5952 4.2.2: one zero group is not shortened
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'], // 4.2.3: the longest run
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // 4.2.3: the first of equal runs
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::fFFf:127.0.0.1', '127.0.0.1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:7f00:0001', '127.0.0.1'],
    ['::0:ffff:1.2.3.4', '1.2.3.4'],
    ['::127.0.0.1', '::7f00:1'], // IPv4-compatible stays IPv6
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'], // NAT64
    ['2002:7f00:1::', '2002:7f00:1::'], // 6to4
    ['::ffff:0:127.0.0.1', '::ffff:0:7f00:1'], // SIIT
    ['000:0:0000::01', '::1'], // CVE-2024-29415: read right, not refused
    ['fe80::1%eth0', 'fe80::1'],
    ['febf::1%12', 'febf::1'],
    ['fe80::%eth0.100', 'fe80::'],
    ['fe80::1.2.3.4%1', 'fe80::102:304'],
  ])('writes %s as %s', (text, canonical) => {
    expect(normalizeIp(text)).toBe(canonical)
  })

  test.each([
    '',
    ' ',
    '.',
    ':',
    ':::',
    '...',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.4.',
    '256.1.1.1',
    '1.2.3.256',
    '1.2.3.1000',
    '00.0.0.0',
    '01.2.3.4',
    '1.2.3.04',
    '010.8.8.8',
    '0x7f.1',
    '0x7f.0.0.1',
    '127.1',
    '01200034567',
    '2130706433',
    '0177.0.0.1',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '1.2.3.4\0',
    '1.2.3.4:80',
    '1.2.3.4/32',
    '+1.2.3.4',
    '-1.2.3.4',
    '1e1.2.3.4',
    '１.2.3.4',
    '1.2.3.٤',
    '1。2。3。4',
    '1.2.3.4%eth0',
    'localhost',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    ':1',
    '1:',
    '1:2:3:4:5:6:7:',
    '12345::',
    '::g',
    '[::1]',
    '::1/128',
    '::1 ',
    '::1.2.3',
    '::1.2.3.4.5',
    '::256.1.1.1',
    '::01.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:1.2.3.4',
    '::1.2.3.4:5',
    '::ffff:010.0.0.1',
    '::ffff:127.1',
    '::ffff:0x7f.1',
    '::ffff:127.0.0.1%1',
    '::1%lo',
    '2001:db8::1%eth0',
    'fe80::1%',
    'fe80::1%a%b',
    'fe80::1%a b',
    'fe80::1%é',
    `fe80::1%${'a'.repeat(33)}`,
    'fe80:%a',
    'fec0::1%a',
    'ࠀ::1',
    '::\u0161',
    '::\u0131',
  ])('refuses %j', (text) => {
    expect(normalizeIp(text)).toBeUndefined()
  })

  test('no UTF-16 unit above ASCII stands for a digit, a colon or a dot', () => {
    for (let unit = 128; unit < 0x10000; unit++) {
      const other = String.fromCharCode(unit)
      expect(
        parseAddress(`::${other}`) ??
          parseAddress(`:${other}1`) ??
          parseAddress(`1.2.3${other}4`) ??
          parseAddress(`1.2.3.${other}`),
      ).toBeUndefined()
    }
  })

  test('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.anything(), (value) => void parseAddress(value as string)))
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => void parseAddress(value)))
    for (const value of [undefined, null, 1, {}, [], Symbol('x'), new String('1.2.3.4')]) {
      expect(parseAddress(value as string)).toBeUndefined()
    }
  })
})

describe('parseAddress and formatAddress', () => {
  test('parse then format is the identity on canonical text', () => {
    fc.assert(
      fc.property(v4, (text) => {
        expect(normalizeIp(text)).toBe(text)
      }),
    )
    fc.assert(
      fc.property(v6, (address) => {
        expect(normalizeIp(formatAddress(address))).toBe(formatAddress(address))
      }),
    )
  })

  test('format then parse is the identity on addresses', () => {
    fc.assert(
      fc.property(v6, (address) => {
        expect(parseAddress(formatAddress(address))).toEqual(address)
      }),
    )
  })

  test('every spelling that ipaddr.js writes is read as the same address', () => {
    fc.assert(
      fc.property(v6, fc.boolean(), (address, upper) => {
        const long = ipaddr.parse(formatAddress(address)).toNormalizedString()
        expect(parseAddress(upper ? long.toUpperCase() : long)).toEqual(address)
      }),
    )
  })

  test('agrees with net.isIP about text without a zone', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        if (text.includes('%')) return
        expect(parseAddress(text) !== undefined, text).toBe(isIP(text) !== 0)
      }),
      { numRuns: 5000 },
    )
  })

  test('agrees with ipaddr.js about text that net.isIP takes', () => {
    fc.assert(
      fc.property(fc.oneof(nearly, v4, v6.map(formatAddress)), (text) => {
        if (isIP(text) === 0 || text.includes('%') || COMPATIBLE.test(text)) return
        const theirs = ipaddr.process(text)
        const ours = parseAddress(text)
        expect(ours?.family).toBe(theirs.kind() === 'ipv4' ? 4 : 6)
        expect(ipaddr.parse(formatAddress(ours!)).toByteArray()).toEqual(theirs.toByteArray())
      }),
      { numRuns: 5000 },
    )
  })

  test('unlike ipaddr.js, an IPv4-compatible address is no IPv4 address', () => {
    expect(ipaddr.process('::1.2.3.4').kind()).toBe('ipv4')
    expect(parseAddress('::1.2.3.4')?.family).toBe(6)
  })

  test.each(DIFFERENCES)('unlike %s refuses %j: %s', (who, text) => {
    expect(who === 'net.isIP' ? isIP(text) !== 0 : ipaddr.isValid(text)).toBe(true)
    expect(parseAddress(text)).toBeUndefined()
  })
})
