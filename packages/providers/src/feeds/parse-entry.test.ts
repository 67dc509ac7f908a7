import type { Prefix } from '@ipguard/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockText, parseEntry } from './parse-entry.ts'

const texts = (text: string): readonly string[] | undefined => {
  const parsed = parseEntry(text)
  if (parsed === undefined) return undefined
  return ('address' in parsed ? [parsed as Prefix] : parsed).map(blockText)
}

test.each<readonly [string, readonly string[] | undefined]>([
  ['1.2.3.4', ['1.2.3.4/32']],
  ['1.2.3.4/24', ['1.2.3.0/24']],
  ['2001:db8::1', ['2001:db8::1/128']],
  ['::ffff:1.2.3.4', ['1.2.3.4/32']],
  ['1.2.3.0-1.2.3.255', ['1.2.3.0/24']],
  ['1.2.3.1-1.2.3.4', ['1.2.3.1/32', '1.2.3.2/31', '1.2.3.4/32']],
  ['0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
  ['2001:db8:: - 2001:db8::ffff', ['2001:db8::/112']],
  ['::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['::/0']],
  ['1.2.3.4-1.2.3.3', undefined],
  ['1.2.3.4-::1', undefined],
  ['1.2.3.4-', undefined],
  ['1.2.3.4/33', undefined],
  ['1.2.3/24', undefined],
  ['1.2.3.0/255.255.255.0', undefined],
  ['01.2.3.4', undefined],
  ['host.example', undefined],
  ['', undefined],
])('%s', (text, blocks) => {
  expect(texts(text)).toEqual(blocks)
})

test('the blocks of a range hold its addresses, each once, and no others', () => {
  const dotted = (n: number): string => `9.9.${n >> 8}.${n & 255}`
  fc.assert(
    fc.property(fc.nat(65_535), fc.nat(65_535), (one, other) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)]
      let next = from
      for (const block of texts(`${dotted(from)}-${dotted(to)}`) ?? []) {
        const [address = '', length] = block.split('/')
        expect(address).toBe(dotted(next))
        next += 2 ** (32 - Number(length))
      }
      expect(next).toBe(to + 1)
    }),
  )
})
