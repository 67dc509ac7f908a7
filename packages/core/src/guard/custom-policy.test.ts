import { expect, test } from 'vitest'
import { testGuard } from '../../test/test-guard.ts'
import { nginx } from '../client-ip/presets/load-balancer-presets.ts'
import { onlyAllow } from '../policy/lists.ts'
import { type Outcome, policy } from '../policy/policy.ts'

const answering = (outcome: unknown, onError: 'skip' | 'deny' = 'deny') =>
  testGuard([policy({ name: 'mine', onError, evaluate: () => outcome as Outcome })]).now('203.0.113.7')

test.each([
  [{ action: 'deny' }, { action: 'deny', reason: 'denied', evidence: [{ kind: 'custom', detail: 'mine' }] }],
  [
    { action: 'limit', retryAfter: 1.2 },
    { action: 'limit', reason: 'rate-limited', retryAfter: 2 },
  ],
  [
    { action: 'limit', retryAfter: '5\r\nX-Evil: 1' },
    { action: 'limit', reason: 'rate-limited' },
  ],
  [
    { action: 'challenge', retryAfter: -5 },
    { action: 'challenge', reason: 'challenge-required', retryAfter: 1 },
  ],
  [
    { action: 'deny', reason: 'banned' },
    { action: 'deny', reason: 'banned' },
  ],
  [
    { action: 'deny', reason: 'because <b>' },
    { action: 'deny', reason: 'denied' },
  ],
  [{ action: 'allow' }, { action: 'allow', policy: 'mine' }],
])('what a custom policy answers is put into known words: %j', (outcome, decision) => {
  expect(answering(outcome)).toMatchObject(decision)
  expect(JSON.stringify(answering(outcome))).not.toMatch(/Evil|<b>/)
})

test.each([true, 'deny', { action: 'block' }, { action: 'toString' }, { action: '__proto__' }, {}, 1])(
  '%j is no outcome: onError speaks',
  (outcome) => {
    expect(answering(outcome)).toMatchObject({ action: 'deny', degraded: ['mine'] })
    expect(answering(outcome, 'skip')).toMatchObject({ action: 'allow', degraded: ['mine'] })
  },
)

test('no answer is no opinion', () => {
  for (const outcome of [undefined, null, false]) expect(answering(outcome)).toMatchObject({ action: 'allow' })
})

test('an asynchronous answer is checked in the same way', async () => {
  const { check } = testGuard([
    policy({ name: 'mine', onError: 'deny', evaluate: async () => ({ action: 'block' }) as never }),
  ])
  expect(await check('203.0.113.7')).toMatchObject({ action: 'deny', degraded: ['mine'] })
})

test('onlyAllow on a route does not take a proxy that forgot its header for the client', () => {
  const { guard, now } = testGuard([], { clientIp: nginx({ trust: ['10.0.0.5'] }) })
  const route = guard.with({ policies: [onlyAllow(['10.0.0.0/8'])] })
  const ask = (peer: string, headers = {}) =>
    route.check({ method: 'GET', url: '/', headers: new Headers(headers) }, { peer })
  expect(ask('10.0.0.5')).toMatchObject({ action: 'deny' })
  expect(ask('10.0.0.6')).toMatchObject({ action: 'allow' })
  expect(ask('10.0.0.5', { 'x-forwarded-for': '10.0.0.7' })).toMatchObject({ action: 'allow' })
  expect(now('10.0.0.5').action).toBe('allow')
})
