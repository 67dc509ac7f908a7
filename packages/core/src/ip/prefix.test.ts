import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { IpGuardError } from '../errors.ts'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { formatPrefix, maskAddress, parsePrefix, prefixContains } from './prefix.ts'

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const address: fc.Arbitrary<Address> = fc.oneof(
  word.map((a) => ({ family: 4, a, b: 0, c: 0, d: 0 }) as const),
  fc
    .tuple(word, word, word, word)
    .filter(([a]) => a !== 0)
    .map(([a, b, c, d]) => ({ family: 6, a, b, c, d }) as const),
)
const block = fc.tuple(address, fc.nat({ max: 128 })).map(([base, n]) => {
  const length = base.family === 4 ? n % 33 : n
  return { address: maskAddress(base, length), length }
})

describe('parsePrefix', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'], // host bits are zeroed
    ['1.2.3.4', '1.2.3.4/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::1', '::1/128'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['fe80::1%eth0/10', 'fe80::/10'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
  ])('reads %s as %s', (text, canonical) => {
    expect(formatPrefix(parsePrefix(text))).toBe(canonical)
  })

  test.each([
    ['10.0.0.0/33', 'Write it as "10.0.0.0/n" with n from 0 to 32.'],
    ['2001:db8::/129', 'Write it as "2001:db8::/n" with n from 0 to 128.'],
    ['10.0.0/8', 'Write it as "10.0.0.0/8".'],
    ['::ffff:10.0.0.0/8', 'Write it as "10.0.0.0/8".'],
    ['::ffff:a00:0/8', 'Write it as "10.0.0.0/8".'],
    ['::ffff:10.0.0.0/95', 'Write it as "10.0.0.0/n" with n from 0 to 32.'],
    ['10.0.0.0/255.0.0.0', 'Write it as "10.0.0.0/n" with n from 0 to 32.'],
    ['10.0.0.0/08', 'Write it as "10.0.0.0/n" with n from 0 to 32.'],
    ['10.0.0.0/', 'Write it as "10.0.0.0/n" with n from 0 to 32.'],
    ['10.0.0.0/-1', 'Write it as "10.0.0.0/n" with n from 0 to 32.'],
    ['10.0.0.256', 'Write it as an address or an address and a length'],
    ['010.0.0.0/8', 'Write it as an address or an address and a length'],
    ['10.0.0.0/8/8', 'Write it as an address or an address and a length'],
    [' 10.0.0.0/8', 'Write it as an address or an address and a length'],
    ['', 'Write it as an address or an address and a length'],
    [8, 'Write it as text'],
  ])('refuses %j and says what to write', (text, advice) => {
    const parse = () => parsePrefix(text as string, 'clientIp.trust[2]')
    expect(parse).toThrow(IpGuardError)
    expect(parse).toThrow(`clientIp.trust[2] is not a CIDR: ${JSON.stringify(text)}. ${advice}`)
    expect(parse).toThrow(expect.objectContaining({ code: 'IPGUARD_CIDR_INVALID' }))
  })

  test('parse then format is the identity on canonical blocks', () => {
    fc.assert(
      fc.property(block, (prefix) => {
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix)
      }),
    )
  })

  test('throws only IpGuardError, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.string({ unit: fc.constantFrom(...Array.from('0123456789./:f%')) })),
        (value) => {
          try {
            parsePrefix(value as string)
          } catch (error) {
            expect(error).toBeInstanceOf(IpGuardError)
          }
        },
      ),
    )
  })
})

describe('prefixContains', () => {
  test('agrees with ipaddr.js', () => {
    fc.assert(
      fc.property(block, address, fc.boolean(), (prefix, other, inside) => {
        // an address inside the block, or any other
        const { a, b, c, d } = maskAddress(other, prefix.length)
        const base = prefix.address
        const tested: Address =
          inside && base.family === other.family
            ? {
                family: base.family,
                a: base.a | (other.a ^ a),
                b: base.b | (other.b ^ b),
                c: base.c | (other.c ^ c),
                d: base.d | (other.d ^ d),
              }
            : other
        const theirs = ipaddr.parse(formatAddress(tested))
        const range = ipaddr.parseCIDR(formatPrefix(prefix))
        expect(prefixContains(prefix, tested)).toBe(theirs.kind() === range[0].kind() && theirs.match(range))
      }),
    )
  })

  test('an IPv6 block never holds an IPv4 address', () => {
    expect(prefixContains(parsePrefix('::/0'), parseAddress('::ffff:10.0.0.1')!)).toBe(false)
  })
})
