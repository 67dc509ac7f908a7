import { expect, test } from 'vitest'
import { fakeProvider } from '../../test/fake-provider.ts'
import { providerSettings } from '../reputation/provider-settings.ts'
import { reputation } from './reputation.ts'
import { checkReputationOptions } from './reputation-options.ts'

const providers = [fakeProvider({ name: 'a' })]

test.each<[string, object, string]>([
  ['IPGUARD_OPTION_UNKNOWN', { providers, denny: 80 }, 'Did you mean "deny"'],
  ['IPGUARD_OPTION_INVALID', {}, 'reputation.providers'],
  ['IPGUARD_OPTION_INVALID', { providers: [] }, '1 to 16'],
  ['IPGUARD_OPTION_INVALID', { providers: Array.from({ length: 17 }, () => providers[0]) }, '1 to 16'],
  ['IPGUARD_OPTION_INVALID', { providers: [{}] }, 'reputation.providers[0]'],
  ['IPGUARD_OPTION_INVALID', { providers: [undefined] }, 'reputation.providers[0]'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ name: 'a b' })] }, 'providers[0].name'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ name: 'x'.repeat(65) })] }, 'providers[0].name'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ weight: 0 })] }, 'providers[0].weight'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ quota: { perDay: 0 } })] }, 'quota.perDay'],
  ['IPGUARD_OPTION_UNKNOWN', { providers: [fakeProvider({ quota: { perHour: 5 } as object })] }, 'perHour'],
  ['IPGUARD_OPTION_UNKNOWN', { providers: [fakeProvider({ ttl: { failed: '5s' } as object })] }, 'failed'],
  ['IPGUARD_DURATION_INVALID', { providers: [fakeProvider({ ttl: { error: -1 } })] }, 'ttl.error'],
  ['IPGUARD_DURATION_INVALID', { providers: [fakeProvider({ timeout: 'soon' as '5s' })] }, 'timeout'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ version: 5 as never })] }, 'version'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ local: 'yes' as never })] }, 'local'],
  ['IPGUARD_OPTION_INVALID', { providers: [fakeProvider({ supports: true as never })] }, 'supports'],
  ['IPGUARD_REPUTATION_INVALID', { providers: [...providers, fakeProvider({ name: 'a' })] }, 'two named "a"'],
  ['IPGUARD_REPUTATION_INVALID', { providers, weights: { b: 1 } }, 'names "b"'],
  ['IPGUARD_REPUTATION_INVALID', { providers, weights: JSON.parse('{"__proto__":1}') }, '__proto__'],
  ['IPGUARD_OPTION_INVALID', { providers, weights: { a: 2 } }, 'weights.a'],
  ['IPGUARD_OPTION_INVALID', { providers, weights: 1 }, 'weights'],
  ['IPGUARD_OPTION_INVALID', { providers, deny: 0 }, 'reputation.deny'],
  ['IPGUARD_OPTION_INVALID', { providers, challenge: 101 }, 'reputation.challenge'],
  ['IPGUARD_OPTION_INVALID', { providers, limit: '50' }, 'reputation.limit'],
  ['IPGUARD_REPUTATION_INVALID', { providers, deny: 50, challenge: 80 }, 'no client would get challenge'],
  ['IPGUARD_REPUTATION_INVALID', { providers, deny: 50, challenge: 50 }, 'no client would get challenge'],
  ['IPGUARD_REPUTATION_INVALID', { providers, deny: 50, limit: 60 }, 'no client would get limit'],
  ['IPGUARD_REPUTATION_INVALID', { providers, challenge: 50, limit: 60 }, 'no client would get limit'],
  ['IPGUARD_OPTION_UNKNOWN', { providers, categories: { tour: 'deny' } }, 'Did you mean "tor"'],
  ['IPGUARD_OPTION_INVALID', { providers, categories: { tor: 'block' } }, 'categories.tor'],
  ['IPGUARD_OPTION_INVALID', { providers, categories: { tor: 'allow' } }, 'categories.tor'],
  ['IPGUARD_OPTION_INVALID', { providers, categories: { tor: 101 } }, 'categories.tor'],
  ['IPGUARD_OPTION_INVALID', { providers, onUnknown: 'block' }, 'onUnknown'],
  ['IPGUARD_DURATION_INVALID', { providers, wait: 'long' }, 'reputation.wait'],
  ['IPGUARD_OPTION_INVALID', { providers, includePrivate: 1 }, 'includePrivate'],
  ['IPGUARD_OPTION_INVALID', { providers, highValue: 'yes' }, 'highValue'],
  ['IPGUARD_OPTION_INVALID', { providers, highValue: true, reserve: 1 }, 'reserve'],
  ['IPGUARD_OPTION_INVALID', { providers, reserve: 0.5 }, 'highValue'],
  ['IPGUARD_OPTION_INVALID', { providers, maxAddresses: 0 }, 'maxAddresses'],
  ['IPGUARD_OPTION_INVALID', { providers, concurrency: 1.5 }, 'concurrency'],
  ['IPGUARD_OPTION_INVALID', { providers, maxQueue: Number.POSITIVE_INFINITY }, 'maxQueue'],
  ['IPGUARD_CIDR_INVALID', { providers, except: ['10.0.0.0/33'] }, '10.0.0.0/33'],
  ['IPGUARD_OPTION_INVALID', { providers, mode: 'off' }, 'mode'],
])('%s: %j', (code, options, message) => {
  expect(() => reputation(options as never)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

const never = Number.POSITIVE_INFINITY

test.each([
  ['nothing: deny at 80', {}, { deny: 80, challenge: never, limit: never }],
  ['one threshold: only that', { challenge: 30 }, { deny: never, challenge: 30, limit: never }],
  ['a category that acts: only that', { categories: { tor: 'deny' } }, { deny: never, challenge: never, limit: never }],
  ['a category that only adds: deny at 80', { categories: { tor: 40 } }, { deny: 80, challenge: never, limit: never }],
] as const)('with %s', (_, options, rules) => {
  expect(checkReputationOptions({ providers, ...options }).rules).toMatchObject(rules)
})

test('weights of the policy come before those of the provider', () => {
  const two = [
    fakeProvider({ name: 'a', weight: 0.5 }),
    fakeProvider({ name: 'b', weight: 0.5 }),
    fakeProvider({ name: 'c' }),
  ]
  const { providers: checked } = checkReputationOptions({ providers: two, weights: { a: 0.2 } })
  expect(checked.map(({ weight }) => weight)).toEqual([0.2, 0.5, 1])
})

test.each([
  [{}, 60_000],
  [{ quota: {} }, 60_000],
  [{ quota: { perDay: 5 } }, 10_000],
  [{ quota: { perMinute: 5 } }, 10_000],
])('a source with %j is waited for as long as the windows of its count allow', (more, ms) => {
  expect(providerSettings(fakeProvider({ timeout: '60s', ...more }), 'x').timeout).toBe(ms)
})

test('its name is its own, or the one that was written', () => {
  expect(reputation({ providers }).name).toBe('reputation')
  expect(reputation({ providers, name: 'login' }).name).toBe('login')
})
