import { describe, expect, test } from 'vitest'
import { testGuard } from '../../test/test-guard.ts'
import { nginx } from '../client-ip/presets/load-balancer-presets.ts'
import { ipSet } from '../ip/ip-set.ts'
import type { LiveList } from '../policy/list-source.ts'
import { allow, deny, onlyAllow } from '../policy/lists.ts'
import { onPaths } from '../policy/matcher.ts'
import { policy } from '../policy/policy.ts'
import { rateLimit } from '../policy/rate-limit.ts'

describe('the order of the list', () => {
  test('an allow list before a deny list lets in, at any prefix length', () => {
    const { now } = testGuard([allow(['203.0.113.0/24']), deny(['203.0.113.7'])])
    expect(now('203.0.113.7')).toMatchObject({
      action: 'allow',
      policy: 'allow',
      evidence: [{ kind: 'list', cidr: '203.0.113.0/24' }],
    })
  })

  test('a deny list before an allow list refuses', () => {
    const { now } = testGuard([deny(['203.0.113.7']), allow(['203.0.113.0/24'])])
    expect(now('203.0.113.7')).toMatchObject({ action: 'deny', reason: 'denied', policy: 'deny' })
    expect(now('203.0.113.8').action).toBe('allow')
  })

  test('the evidence names the longest prefix and its label, and the decision is frozen plain JSON', () => {
    const feed = ipSet([
      { cidr: '198.51.0.0/16', label: 'wide' },
      { cidr: '198.51.100.0/24', label: 'narrow' },
    ])
    const decision = testGuard([deny(feed, { name: 'feed' })]).now('198.51.100.9')
    expect(decision.evidence).toEqual([{ kind: 'list', cidr: '198.51.100.0/24', label: 'narrow' }])
    expect(JSON.parse(JSON.stringify(decision))).toEqual(decision)
    expect([decision, decision.client, decision.evidence, decision.evidence?.[0]].every(Object.isFrozen)).toBe(true)
  })

  test('except spares addresses of a deny list and of a limit', () => {
    const { now } = testGuard([
      deny(['198.51.100.0/24'], { except: ['198.51.100.7'] }),
      rateLimit({ limit: 1, window: '60s', except: [['198.51.100.7'], ipSet(['2001:db8::/32'])] }),
    ])
    expect(now('198.51.100.8').action).toBe('deny')
    for (let i = 0; i < 3; i++) expect(now('198.51.100.7').action).toBe('allow')
    for (let i = 0; i < 3; i++) expect(now('2001:db8::1').action).toBe('allow')
    expect([now('192.0.2.1').action, now('192.0.2.1').action]).toEqual(['allow', 'limit'])
  })

  test('onlyAllow refuses whoever is not listed, and who is listed meets the limits behind it', () => {
    const { now } = testGuard([onlyAllow(['203.0.113.0/24']), rateLimit({ limit: 1, window: '60s' })])
    expect(now('192.0.2.1')).toMatchObject({
      action: 'deny',
      policy: 'only-allow',
      evidence: [{ kind: 'not-listed', ip: '192.0.2.1' }],
    })
    expect([now('203.0.113.7').action, now('203.0.113.7').action]).toEqual(['allow', 'limit'])
  })

  test('a live list is read anew for each request, and matches nothing before its first load', () => {
    const live: { current: ReturnType<typeof ipSet> | undefined } = { current: undefined }
    const { now } = testGuard([deny(live)])
    expect(now('203.0.113.7').action).toBe('allow')
    live.current = ipSet(['203.0.113.7'])
    expect(now('203.0.113.7').action).toBe('deny')
  })

  test.each([
    ['deny', (live: LiveList) => deny(live, { name: 'feed' }), 'allow', 'deny'],
    ['allow', (live: LiveList) => allow(live, { name: 'feed' }), 'allow', 'allow'],
    ['onlyAllow', (live: LiveList) => onlyAllow(live, { name: 'feed' }), 'deny', 'allow'],
  ] as const)(
    '%s: while a live list is not loaded, the decision is degraded and says by whom',
    (_, make, before, after) => {
      const live: { current: ReturnType<typeof ipSet> | undefined } = { current: undefined }
      const { now } = testGuard([make(live)])
      expect(now('203.0.113.7')).toMatchObject({ action: before, degraded: ['feed'] })
      live.current = ipSet(['203.0.113.7'])
      const loaded = now('203.0.113.7')
      expect(loaded.action).toBe(after)
      expect(loaded).not.toHaveProperty('degraded')
    },
  )

  test('an exception that is not loaded spares nobody, which matters only to those on the list', () => {
    const live: { current: ReturnType<typeof ipSet> | undefined } = { current: undefined }
    const { now } = testGuard([
      deny(['203.0.113.0/24'], { name: 'feed', except: [live, ['203.0.113.9']] }),
      rateLimit({ name: 'limit', limit: 1, window: '60s', except: [live] }),
    ])
    expect(now('203.0.113.7')).toMatchObject({ action: 'deny', degraded: ['feed'] })
    expect(now('203.0.113.9')).toMatchObject({ action: 'allow', degraded: ['limit'] })
    live.current = ipSet(['203.0.113.7'])
    expect([now('203.0.113.7'), now('203.0.113.7')]).toEqual([
      expect.not.objectContaining({ degraded: expect.anything() }),
      expect.objectContaining({ action: 'allow' }),
    ])
  })

  test('a live list is not read when a guard is created: its first reading may be what loads it', () => {
    let read = 0
    const live: LiveList = {
      get current() {
        read++
        return undefined
      },
    }
    const clientIp = nginx({ trust: ['10.0.0.5/32'] })
    const { now } = testGuard([allow(live), onlyAllow(live), deny(live, { except: [live] })], { clientIp })
    expect(read).toBe(0)
    now('203.0.113.7')
    expect(read).toBeGreaterThan(0)
  })
})

test('a plain allow is deeply frozen too', () => {
  const decision = testGuard([rateLimit({ limit: 5, window: '60s' })]).now('203.0.113.7')
  const parts = [decision, decision.client, decision.client?.via, decision.limits, decision.limits?.[0]]
  expect(parts.every((part) => part !== undefined && Object.isFrozen(part))).toBe(true)
})

describe('unknown clients', () => {
  test('are refused before the first policy, by default', () => {
    const { now } = testGuard([allow(['0.0.0.0/0'])])
    expect(now(undefined)).toMatchObject({
      action: 'deny',
      reason: 'unknown-client',
      evidence: [{ kind: 'no-client' }],
    })
    expect(now('not an address').action).toBe('deny')
  })

  test('share one key when evaluated, match no allow list, and are never banned', () => {
    const { now } = testGuard(
      [allow(['0.0.0.0/0', '::/0']), rateLimit({ limit: 2, window: '60s', ladder: [{ ban: '24h' }] })],
      { onUnknownClient: 'evaluate' },
    )
    expect([now(undefined), now('x'), now(undefined), now(undefined)].map(({ action }) => action)).toEqual([
      'allow',
      'allow',
      'limit',
      'limit',
    ])
    expect(now(undefined)).not.toHaveProperty('expires')
    expect(now('203.0.113.7').action).toBe('allow')
  })
})

describe('counting', () => {
  test('a request that a later policy refuses consumes nothing', () => {
    const { now } = testGuard([
      rateLimit({ limit: 2, window: '60s' }),
      policy({ name: 'no', when: onPaths('/no'), evaluate: () => ({ action: 'deny' }) }),
    ])
    for (let i = 0; i < 5; i++)
      expect(now('203.0.113.7', { url: '/no' })).toMatchObject({ action: 'deny', policy: 'no', reason: 'denied' })
    expect(now('203.0.113.7').limits?.[0]?.remaining).toBe(1)
  })

  test('a limit that is used up speaks before a later policy', () => {
    const { now } = testGuard([
      rateLimit({ limit: 1, window: '60s' }),
      policy({ name: 'no', when: onPaths('/no'), evaluate: () => ({ action: 'deny' }) }),
    ])
    now('203.0.113.7')
    expect(now('203.0.113.7', { url: '/no' }).action).toBe('limit')
  })

  test('several limits are one: none is consumed unless all admit, the first exceeded is named, the longest wait is told', () => {
    const { now, clock } = testGuard([
      rateLimit({ limit: 5, window: '1h', name: 'hour' }),
      rateLimit({ limit: 2, window: '60s', name: 'minute' }),
    ])
    expect([1, 2, 3, 4].map(() => now('203.0.113.7').action)).toEqual(['allow', 'allow', 'limit', 'limit'])
    expect(now('203.0.113.7')).toMatchObject({
      policy: 'minute',
      limits: [
        { policy: 'hour', remaining: 3 },
        { policy: 'minute', remaining: 0 },
      ],
    })
    for (let i = 0; i < 3; i++) {
      clock.time += 66_000
      expect(now('203.0.113.7').action).toBe('allow')
    }
    // The hour is used up; one request of the minute is left.
    expect(now('203.0.113.7')).toMatchObject({ action: 'limit', policy: 'hour' })
    expect(now('203.0.113.7').retryAfter).toBeGreaterThan(3_000)
  })

  test('a cost above the limit says no time after which it would pass, also where another limit is exceeded', () => {
    const { now } = testGuard([
      rateLimit({ limit: 2, window: '1h', name: 'hour' }),
      rateLimit({ limit: 9, window: '60s', cost: ({ url }) => Number(url.slice(1)), name: 'size' }),
    ])
    expect(now('203.0.113.7', { url: '/10' })).toMatchObject({ action: 'limit', policy: 'size' })
    expect(now('203.0.113.7', { url: '/10' })).not.toHaveProperty('retryAfter')
    for (const url of ['/1', '/1']) now('203.0.113.7', { url })
    const both = now('203.0.113.7', { url: '/10' })
    expect([both.policy, both.retryAfter]).toEqual(['hour', undefined])
  })

  test('functions of request and facts choose limit, cost and key', () => {
    interface Facts {
      readonly plan: 'free' | 'pro'
    }
    const { guard } = testGuard<Facts>([
      rateLimit<Facts>({
        name: 'plan',
        limit: (_request, _client, facts) => (facts.plan === 'pro' ? 10 : 2),
        window: '60s',
        cost: ({ method }) => (method === 'POST' ? 2 : 1),
        key: ({ headers }) => headers.get('x-key') ?? undefined,
      }),
    ])
    const ask = (plan: Facts['plan'], key?: string, method = 'GET'): unknown =>
      guard.check(
        { method, url: '/', headers: new Headers(key === undefined ? {} : { 'x-key': key }) },
        { peer: '203.0.113.7', facts: { plan } },
      )
    expect(ask('free', 'k', 'POST')).toMatchObject({ action: 'allow', limits: [{ remaining: 0 }] })
    expect(ask('free', 'k')).toMatchObject({ action: 'limit' })
    // A change of plan keeps the count.
    expect(ask('pro', 'k')).toMatchObject({ action: 'allow', limits: [{ limit: 10, remaining: 7 }] })
    expect(ask('free')).toMatchObject({ action: 'allow', limits: [{ remaining: 1 }] })
  })

  test('an infinite limit is none, and 0 lets nobody in', () => {
    const { now } = testGuard([
      rateLimit({ name: 'open', limit: Number.POSITIVE_INFINITY, window: '60s' }),
      rateLimit({ limit: 0, window: '60s', when: onPaths('/shut') }),
    ])
    expect(now('203.0.113.7')).not.toHaveProperty('limits')
    const shut = now('203.0.113.7', { url: '/shut' })
    expect([shut.action, shut.retryAfter]).toEqual(['limit', undefined])
  })

  test('CORS preflights are not counted unless asked for', () => {
    const preflight = {
      method: 'OPTIONS',
      headers: new Headers({ origin: 'https://a.example', 'access-control-request-method': 'POST' }),
    }
    const plain = testGuard([rateLimit({ limit: 1, window: '60s' })])
    const strict = testGuard([rateLimit({ limit: 1, window: '60s', preflights: true })])
    for (let i = 0; i < 3; i++) expect(plain.now('203.0.113.7', preflight).action).toBe('allow')
    strict.now('203.0.113.7', preflight)
    expect(strict.now('203.0.113.7', preflight).action).toBe('limit')
    // An OPTIONS request that is none is counted.
    plain.now('203.0.113.7', { method: 'OPTIONS' })
    expect(plain.now('203.0.113.7', { method: 'OPTIONS' }).action).toBe('limit')
  })

  test('all addresses of a /64 count together, and a mapped IPv4 address is the IPv4 address', () => {
    const { now } = testGuard([rateLimit({ limit: 1, window: '60s' })])
    expect([now('2001:db8:1:2::1').action, now('2001:db8:1:2:ffff::9').action, now('2001:db8:1:3::1').action]).toEqual([
      'allow',
      'limit',
      'allow',
    ])
    expect([now('203.0.113.7').action, now('::ffff:203.0.113.7').action, now('::ffff:cb00:7107').action]).toEqual([
      'allow',
      'limit',
      'limit',
    ])
  })
})

describe('functions of the user that fail', () => {
  const limits = (onError: 'local' | 'allow' | 'deny') =>
    testGuard([
      rateLimit({
        name: 'keyed',
        limit: 1,
        window: '60s',
        onError,
        key: () => {
          throw new Error('secret of the key store')
        },
      }),
    ])

  test("'local' counts by the client instead", () => {
    const { now, guard } = limits('local')
    const errors: Error[] = []
    guard.on('error', (error) => errors.push(error))
    expect(now('203.0.113.7')).toMatchObject({ action: 'allow', degraded: ['keyed'], limits: [{ remaining: 0 }] })
    expect(now('203.0.113.7').action).toBe('limit')
    expect(now('203.0.113.8').action).toBe('allow')
    expect(errors[0]).toMatchObject({ code: 'IPGUARD_POLICY_FAILED' })
    expect(errors[0]?.message).not.toContain('secret')
  })

  test("'allow' lets pass and 'deny' refuses; both say degraded", () => {
    expect(limits('allow').now('203.0.113.7')).toMatchObject({ action: 'allow', degraded: ['keyed'] })
    expect(limits('deny').now('203.0.113.7')).toMatchObject({ action: 'deny', policy: 'keyed', degraded: ['keyed'] })
  })

  test.each([Number.NaN, -1, 1.5, '60' as unknown as number, undefined as unknown as number])(
    'a limit of %s is an error, not a number',
    (limit) => {
      const { now } = testGuard([rateLimit({ name: 'bad', limit: () => limit, window: '60s', onError: 'deny' })])
      expect(now('203.0.113.7')).toMatchObject({ action: 'deny', degraded: ['bad'] })
    },
  )

  test('a failed limit falls back on the last good one', () => {
    let fail = false
    const { now } = testGuard([rateLimit({ name: 'l', limit: () => (fail ? Number.NaN : 1), window: '60s' })])
    now('203.0.113.7')
    fail = true
    expect(now('203.0.113.7')).toMatchObject({ action: 'limit', degraded: ['l'] })
  })

  test('a custom policy that throws is skipped or denies', () => {
    const broken = (onError: 'skip' | 'deny') =>
      policy({
        name: 'broken',
        onError,
        evaluate: () => {
          throw new Error('x')
        },
      })
    expect(testGuard([broken('skip')]).now('203.0.113.7')).toMatchObject({ action: 'allow', degraded: ['broken'] })
    expect(testGuard([broken('deny')]).now('203.0.113.7')).toMatchObject({
      action: 'deny',
      policy: 'broken',
      reason: 'denied',
      degraded: ['broken'],
    })
  })

  test('a matcher that throws takes the policy with it, not the request', () => {
    const { now } = testGuard([
      allow(['203.0.113.7'], {
        when: () => {
          throw new Error('x')
        },
      }),
    ])
    expect(now('203.0.113.7')).toMatchObject({ action: 'allow', degraded: ['allow'] })
  })
})
