import { customKey, hitOf, keyOf, limiter } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const counter = limiter({ name: 'keys', limit: 1, window: '10s' })

/** Keys that share words, or that break a store which joins or trims its texts. */
const ALIKE = [
  keyOf('1.2.3.4'),
  keyOf('102:304::/64'),
  keyOf('1.2.3.5'),
  keyOf('255.255.255.255'),
  keyOf('0.0.0.0'),
  keyOf('::/64'),
  keyOf('2001:db8::/64'),
  keyOf('2001:db8:0:1::/64'),
  ...[
    '',
    ' ',
    '1.2.3.4',
    '1.2.3.4 ',
    '__proto__',
    'constructor',
    'a:b',
    'a b',
    '{a}:b',
    'a\r\nb',
    'a\0b',
    'key',
    'KEY',
    'caf\u00e9',
    'cafe\u0301',
    '\u{1f4a5}',
    '\ud83d',
    'x'.repeat(2_048),
    `${'x'.repeat(2_047)}y`,
  ].map(customKey),
]

export const keyCases: readonly StoreCase[] = [
  {
    name: 'key: IPv4, IPv6 and custom keys count apart, whatever the text',
    async run({ expect, admitted }) {
      for (const key of ALIKE) expect([key, await admitted(0, hitOf(counter, key), 2)]).toEqual([key, 1])
    },
  },
  {
    name: 'key: counters of other names, windows and algorithms count apart',
    async run({ expect, admitted }) {
      const key = keyOf('203.0.113.7')
      const counters = [
        counter,
        limiter({ name: 'key', limit: 1, window: '10s' }),
        limiter({ name: 'keys', limit: 1, window: '11s' }),
        limiter({ name: 'keys', limit: 1, window: '10s', algorithm: 'fixed-window' }),
        limiter({ name: 'keys', limit: 1, window: '10s', algorithm: 'token-bucket' }),
        limiter({ name: 'keys sliding-window 10000', limit: 1, window: '10s' }),
        limiter({ name: '__proto__', limit: 1, window: '10s' }),
        limiter({ name: 'constructor', limit: 1, window: '10s' }),
        limiter({ name: '{a}:b\\"', limit: 1, window: '10s' }),
        limiter({ name: 'k\u00e9y\u{1f4a5}', limit: 1, window: '10s' }),
      ]
      for (const each of counters) expect([each.id, await admitted(0, hitOf(each, key), 2)]).toEqual([each.id, 1])
    },
  },
  {
    name: 'key: strikes of other clients and policies count apart',
    async run({ expect, one }) {
      const ladder = [{ ban: '1h', after: 2 }] as const
      const login = limiter({ name: 'login', ladder })
      const reset = limiter({ name: 'reset', ladder })
      const strike = { limit: 0, cost: 0, strike: true } as const
      for (const key of [keyOf('1.2.3.4'), keyOf('102:304::/64'), keyOf('1.2.3.5')]) {
        for (const each of [login, reset]) {
          const { strikes, banned } = await one(0, hitOf(each, key, strike))
          expect([each.policy, key.text, strikes, banned]).toEqual([each.policy, key.text, 1, undefined])
        }
      }
    },
  },
]
