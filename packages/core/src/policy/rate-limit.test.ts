import { expect, test } from 'vitest'
import { IpGuardError } from '../errors.ts'
import { allow, deny, onlyAllow } from './lists.ts'
import { type PolicyContext, policy } from './policy.ts'
import { type RateLimitOptions, rateLimit } from './rate-limit.ts'

test.each([
  [{ limit: 60, window: '60s' }, '60-in-60s'],
  [{ limit: 5, window: '15m' }, '5-in-15m'],
  [{ limit: 1000, window: '24h' }, '1000-in-1d'],
  [{ limit: () => 5, window: '60s' }, 'dynamic-in-60s'],
  [{ ladder: [{ name: 'login', ban: '15m' }] }, 'login'],
  [{ name: 'mine', limit: 5, window: '60s' }, 'mine'],
] as [RateLimitOptions<unknown>, string][])('a limit is named by its numbers: %#', (options, name) => {
  expect(rateLimit(options).name).toBe(name)
})

test.each([
  [{ limt: 60, window: '60s' }, 'IPGUARD_OPTION_UNKNOWN', 'Did you mean "limit"?'],
  [{}, 'IPGUARD_OPTION_INVALID', 'rateLimit.limit is undefined. Write a number'],
  [{ limit: 60 }, 'IPGUARD_OPTION_INVALID', 'rateLimit.window is undefined'],
  [{ limit: -1, window: '60s' }, 'IPGUARD_OPTION_INVALID', 'rateLimit.limit is -1'],
  [{ limit: 1.5, window: '60s' }, 'IPGUARD_OPTION_INVALID', 'rateLimit.limit is 1.5'],
  [{ limit: 2 ** 32, window: '60s' }, 'IPGUARD_OPTION_INVALID', 'a whole number from 0 to 4294967295, or Infinity'],
  [{ limit: '60', window: '60s' }, 'IPGUARD_OPTION_INVALID', 'rateLimit.limit is "60"'],
  [{ limit: 60, window: '50ms' }, 'IPGUARD_OPTION_INVALID', "Write at least '100ms'."],
  [{ limit: 60, window: '60 s' }, 'IPGUARD_DURATION_INVALID', 'rateLimit.window is not a duration: "60 s"'],
  [{ limit: 60, window: '60s', cost: -1 }, 'IPGUARD_OPTION_INVALID', 'rateLimit.cost is -1'],
  [{ limit: 60, window: '60s', cost: 61 }, 'IPGUARD_OPTION_INVALID', 'at most 60: no request would ever pass'],
  [{ limit: 60, window: '60s', burst: 10 }, 'IPGUARD_OPTION_INVALID', "it with algorithm: 'token-bucket'"],
  [
    { limit: 60, window: '60s', algorithm: 'leaky' },
    'IPGUARD_OPTION_INVALID',
    "'sliding-window' or 'fixed-window' or 'token-bucket'",
  ],
  [
    { limit: 60, window: '60s', lease: 0 },
    'IPGUARD_OPTION_INVALID',
    'rateLimit.lease is 0. Write a whole number from 1.',
  ],
  [{ limit: 60, window: '60s', lease: 1.5 }, 'IPGUARD_OPTION_INVALID', 'rateLimit.lease is 1.5'],
  [{ limit: 60, window: '60s', lease: '5' }, 'IPGUARD_OPTION_INVALID', 'rateLimit.lease is "5"'],
  [{ limit: 60, window: '60s', lease: 60 }, 'IPGUARD_OPTION_INVALID', 'less than the limit of 60'],
  [
    { lease: 5, ladder: [{ ban: '1h' }] },
    'IPGUARD_OPTION_INVALID',
    'rateLimit.lease is 5. Write it together with a limit.',
  ],
  [
    { limit: 60, window: '60s', lease: 5, algorithm: 'token-bucket' },
    'IPGUARD_OPTION_INVALID',
    'with another algorithm',
  ],
  [{ limit: 60, window: '60s', onError: 'open' }, 'IPGUARD_OPTION_INVALID', "'local' or 'allow' or 'deny'"],
  [{ limit: 60, window: '60s', key: 5 }, 'IPGUARD_OPTION_INVALID', 'rateLimit.key is 5'],
  [
    { limit: 60, window: '60s', key: 'x', ladder: [{ ban: '1h' }] },
    'IPGUARD_LADDER_INVALID',
    'a ladder bans addresses',
  ],
  [{ window: '60s', ladder: [{ ban: '1h' }] }, 'IPGUARD_OPTION_INVALID', 'together with a limit'],
  [{ limit: 60, window: '60s', except: '203.0.113.7' }, 'IPGUARD_OPTION_INVALID', 'Write an array'],
  [{ limit: 60, window: '60s', except: ['203.0.113'] }, 'IPGUARD_CIDR_INVALID', '203.0.113'],
  [{ limit: 60, window: '60s', name: 'a\nb' }, 'IPGUARD_OPTION_INVALID', 'printable'],
  [{ limit: 60, window: '60s', mode: 'off' }, 'IPGUARD_OPTION_INVALID', "'enforce' or 'shadow'"],
  [{ limit: 60, window: '60s', when: '/login' }, 'IPGUARD_OPTION_INVALID', "like onPaths('/login')"],
])('bad options are refused when the policy is made: %#', (options, code, message) => {
  const make = () => rateLimit(options as never)
  expect(make).toThrow(expect.objectContaining({ code }))
  expect(make).toThrow(message)
})

test.each([
  [() => allow([]), 'IPGUARD_OPTION_INVALID'],
  [() => allow('203.0.113.7'), 'IPGUARD_OPTION_INVALID'],
  [() => allow(undefined as never), 'IPGUARD_OPTION_INVALID'],
  [() => deny(['010.0.0.1']), 'IPGUARD_CIDR_INVALID'],
  [() => deny(['::ffff:10.0.0.0/8']), 'IPGUARD_CIDR_INVALID'],
  [() => onlyAllow(['10.0.0.0/8'], { except: [] } as never), 'IPGUARD_OPTION_UNKNOWN'],
  [() => policy({ name: 'x' } as never), 'IPGUARD_OPTION_INVALID'],
  [() => policy({ evaluate: () => undefined } as never), 'IPGUARD_OPTION_INVALID'],
  [() => policy({ name: 'x', evaluate: () => undefined, onError: 'local' } as never), 'IPGUARD_OPTION_INVALID'],
])('so are lists and custom policies: %#', (make, code) => {
  expect(make).toThrow(IpGuardError)
  expect(make).toThrow(expect.objectContaining({ code }))
})

test('a lease is part of the counter, live and in shadow, and not of its name', () => {
  const plain = rateLimit({ limit: 60, window: '60s' }).counter
  for (const limit of [60, Number.POSITIVE_INFINITY, () => 5]) {
    const { counter } = rateLimit({ name: '60-in-60s', limit, window: '60s', lease: 59 })
    for (const shadow of [false, true]) {
      expect(counter?.(shadow)).toMatchObject({ lease: 59, id: plain?.(shadow).id })
      expect(plain?.(shadow)).not.toHaveProperty('lease')
    }
  }
})

test('the options of the caller are not changed and may be frozen', () => {
  const options = Object.freeze({
    limit: 60,
    window: '60s',
    ladder: Object.freeze([Object.freeze({ ban: '1h' })]),
  } as const)
  expect(() => rateLimit(options)).not.toThrow()
})

test('a limit that a function gives is cut where a fixed one would be refused', () => {
  // What a count reads of it.
  const context = {
    request: { method: 'GET', url: '/', headers: new Headers() },
    shadow: false,
  } as unknown as PolicyContext<unknown>
  const limits = (['sliding-window', 'fixed-window'] as const).map(
    (algorithm) => rateLimit({ limit: () => 2 ** 40, window: '1d', algorithm }).count?.(context)[0]?.limit,
  )
  expect(limits).toEqual([2 ** 32 - 1, 2 ** 40])
})
