import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Address, formatAddress } from '../ip/address.ts'
import { formatPrefix, maskAddress } from '../ip/prefix.ts'
import { resolvedClient } from './client.ts'

test('the key of an IPv6 client is its network as RFC 5952 writes it, for every length', () => {
  // Few values, so that zero groups meet.
  const word = fc.constantFrom(0, 1, 0x10000, 0x20010db8, 0x0db80000, -1, 0xff00)
  fc.assert(
    fc.property(word, word, word, word, fc.integer({ min: 32, max: 128 }), (a, b, c, d, length) => {
      const address: Address = { family: 6, a: a || 0x20010000, b, c, d }
      const { client, keyLength } = resolvedClient(address, length, { rule: 'socket' })
      const expected =
        length === 128 ? formatAddress(address) : formatPrefix({ address: maskAddress(address, length), length })
      expect(client.key).toBe(expected)
      expect(keyLength).toBe(length)
    }),
    { numRuns: 2_000 },
  )
})
