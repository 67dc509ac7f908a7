import { expect, it } from 'vitest'
import { slotOf } from './slot-of.ts'

it.each([
  // As `redis-cli CLUSTER KEYSLOT` of Redis 7.0 says; 123456789 is the check of CRC16/XMODEM in the cluster specification.
  ['', 0],
  ['123456789', 12739],
  ['foo', 12182],
  ['bar', 5061],
  ['{foo}bar', 12182],
  ['foo{}bar', 14292],
  ['{}', 15257],
  ['{a}{b}', 15495],
  ['a{b}c{d}', 3300],
  ['{{bar}}zap', 4015],
  ['{bar', 4015],
  ['}bar{', 1498],
  ['ipguard:1:{203.0.113.7}', 8508],
  ['ipguard:1:{2001:db8::/64}', 26],
  ['ipguard:1:{entries}:all', 4426],
  ['caf\u00e9\u{1f4a5}', 12158],
])('the slot of %j is %i', (key, slot) => {
  expect(slotOf(key)).toBe(slot)
})
