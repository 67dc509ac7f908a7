import { parseAddress } from '@ipguard/core'

/** The name under which a list has an address: its octets or nibbles backwards. Undefined for text that is no address. */
export function reverseName(ip: string): string | undefined {
  const address = parseAddress(ip)
  if (!address) return undefined
  const { family, a, b, c, d } = address
  if (family === 4) return [a & 255, (a >>> 8) & 255, (a >>> 16) & 255, a >>> 24].join('.')
  const hex = [a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  return Array.from(hex).toReversed().join('.')
}
