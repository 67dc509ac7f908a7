import { expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { request, testGuard } from '../../test/test-guard.ts'
import * as cdnPresets from '../client-ip/presets/cdn-presets.ts'
import * as loadBalancerPresets from '../client-ip/presets/load-balancer-presets.ts'
import { createGuard } from '../create-guard.ts'
import type { IpGuardErrorCode } from '../errors.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { allow, deny } from '../policy/lists.ts'
import { policy } from '../policy/policy.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { isInfrastructure } from './infrastructure.ts'

test('events: decision, strike, ban, unban, entry, and listeners come off', async () => {
  const { guard, now } = testGuard([
    rateLimit({ name: 'l', limit: 1, window: '60s', ladder: [{ name: 'gray', ban: '1h' }] }),
  ])
  const seen: string[] = []
  for (const name of ['decision', 'strike', 'ban', 'unban', 'entry'] as const) guard.on(name, () => seen.push(name))
  now('203.0.113.7')
  now('203.0.113.7')
  await guard.unban('203.0.113.7')
  expect(seen).toEqual(['decision', 'entry', 'strike', 'ban', 'decision', 'entry', 'unban'])
  const off = guard.on('decision', () => seen.push('again'))
  off()
  now('203.0.113.7')
  expect(seen).not.toContain('again')
})

test('events: taking a listener off twice takes off no other one', () => {
  const { guard, now } = testGuard([])
  const seen: string[] = []
  const off = guard.on('decision', () => seen.push('first'))
  off()
  guard.on('decision', () => seen.push('second'))
  off()
  now('203.0.113.7')
  expect(seen).toEqual(['second'])
})

test('a listener that throws becomes an error event, and the request goes on', () => {
  const { guard, now } = testGuard([])
  const codes: IpGuardErrorCode[] = []
  guard.on('decision', () => {
    throw new Error('x')
  })
  guard.on('error', ({ code }) => codes.push(code))
  guard.on('error', () => {
    throw new Error('y')
  })
  expect(now('203.0.113.7').action).toBe('allow')
  expect(codes).toEqual(['IPGUARD_LISTENER_FAILED'])
})

test('the logger gets JSON-safe fields on one line, refusals only, and nothing of a header', async () => {
  const lines: string[] = []
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  const { guard, now } = testGuard([deny(['203.0.113.7'], { name: 'bad‮\u001b[31m'.replace(/[^\w]/g, '') })], {
    logger: { info: write('info'), warn: write('warn'), error: write('error') },
  })
  const headers = new Headers({ 'user-agent': 'x$' + '{jndi:ldap://a}', cookie: 'session=secret' })
  now('192.0.2.1', { headers })
  now('203.0.113.7', { headers })
  await guard.ban('198.51.100.7', { for: '1h', reason: 'line\nbreak' })
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(
    /^info ipguard: deny \{"event":"decision","action":"deny","policy":"bad31m","reason":"denied","id":"[\w-]+","client":"203.0.113.7"\}$/,
  )
  expect(lines.join('')).not.toMatch(/jndi|secret|\n/)
})

test.each([
  ['IPGUARD_ALLOW_BEHIND_COUNTER', () => [rateLimit({ limit: 1, window: '60s' }), allow(['203.0.113.7'])], {}],
  [
    'IPGUARD_ALLOW_OVERLAPS_TRUST',
    () => [allow(['10.0.0.0/8'])],
    { clientIp: loadBalancerPresets.nginx({ trust: ['10.0.0.5/32'] }) },
  ],
  [
    'IPGUARD_POLICY_NAME_SHARED',
    () => [rateLimit({ limit: 1, window: '60s' }), rateLimit({ limit: 1, window: '60s' })],
    {},
  ],
])('%s is told at creation, once', (code, policies, options) => {
  const codes: string[] = []
  createGuard({
    store: memoryStore(),
    policies: policies(),
    ...options,
    onWarning: (warning) => codes.push(warning.code),
  })
  expect(codes).toEqual([code])
})

test('a private client that goes over a limit with a ladder is limited, never banned, and that is told', () => {
  const codes: string[] = []
  const { now } = testGuard([rateLimit({ limit: 1, window: '60s', ladder: [{ ban: '24h' }] })], {
    onWarning: ({ code }) => codes.push(code),
  })
  now('10.1.2.3')
  for (let i = 0; i < 3; i++) expect(now('10.1.2.3')).toMatchObject({ action: 'limit', retryAfter: 66 })
  expect(codes).toEqual(['IPGUARD_BAN_EXEMPT'])
})

test('a ladder bans nobody in the ranges that a preset ships', () => {
  const presets = Object.values({ ...cdnPresets, ...loadBalancerPresets }).filter(
    (preset) => preset instanceof Function,
  )
  const trusted = presets.flatMap((preset) => preset(undefined as never).trust ?? []) // called without what it needs, it ships no ranges
  const ranges = trusted.filter((range) => range.includes('/'))
  expect(ranges).toEqual(expect.arrayContaining(['173.245.48.0/20', '23.235.32.0/20', '35.191.0.0/16']))
  const isExempt = isInfrastructure(undefined)
  expect(ranges.filter((range) => !isExempt(parsePrefix(range).address))).toEqual([])
})

test('banInfrastructure bans it all the same', () => {
  const { now } = testGuard([rateLimit({ limit: 1, window: '60s', ladder: [{ ban: '24h' }] })], {
    banInfrastructure: true,
  })
  now('10.1.2.3')
  expect([now('10.1.2.3').action, now('10.1.2.3').reason]).toEqual(['limit', 'banned'])
})

test.each([
  [{ policies: [], stroe: 1 }, 'IPGUARD_OPTION_UNKNOWN', 'createGuard has no option "stroe". Did you mean "store"?'],
  [{}, 'IPGUARD_OPTION_INVALID', 'createGuard.policies is undefined. Write an array'],
  [{ policies: [undefined] }, 'IPGUARD_OPTION_INVALID', 'createGuard.policies[0] is undefined. Write a policy'],
  [
    { policies: [], mode: 'dry' },
    'IPGUARD_OPTION_INVALID',
    "createGuard.mode is \"dry\". Write 'enforce' or 'shadow'.",
  ],
  [{ policies: [], onUnknownClient: 'allow' }, 'IPGUARD_OPTION_INVALID', "Write 'deny' or 'evaluate'."],
  [{ policies: [], ipv6Prefix: 16 }, 'IPGUARD_OPTION_INVALID', 'ipv6Prefix is 16'],
  [{ policies: [], deadline: '0s' }, 'IPGUARD_DURATION_INVALID', 'createGuard.deadline is not a duration'],
  [{ policies: [], instances: 0 }, 'IPGUARD_OPTION_INVALID', 'createGuard.instances is 0'],
  [
    { policies: [], clock: {} },
    'IPGUARD_OPTION_INVALID',
    'createGuard.clock is an object. Write an object with now().',
  ],
  [{ policies: [], logger: { info() {} } }, 'IPGUARD_OPTION_INVALID', 'createGuard.logger'],
  [{ policies: [], exposeTier: 1 }, 'IPGUARD_OPTION_INVALID', 'createGuard.exposeTier is 1. Write true or false.'],
  [{ policies: [rateLimit({ limit: 1, window: '60s' })] }, 'IPGUARD_STORE_MISSING', 'memoryStore'],
  [{ policies: [], clientIp: { header: 'x-forwarded-for' } }, 'IPGUARD_TRUST_MISSING', 'trust'],
])('bad options throw at creation: %#', (options, code, message) => {
  const make = () => createGuard(options as never)
  expect(make).toThrow(expect.objectContaining({ code }))
  expect(make).toThrow(message)
})

test('onRefused of the policy, then of the guard, changes the reply; one that throws changes nothing', () => {
  const { guard, now } = testGuard(
    [
      deny(['203.0.113.7'], { onRefused: (reply) => ({ ...reply, status: 404, body: 'gone' }) }),
      deny(['203.0.113.8'], {
        name: 'throws',
        onRefused: () => {
          throw new Error('x')
        },
      }),
    ],
    { onRefused: (_decision, reply) => ({ ...reply, headers: { ...reply.headers, 'X-Ours': '1' } }) },
  )
  expect(guard.reply(now('203.0.113.7'), request())).toMatchObject({
    status: 404,
    body: 'gone',
    headers: { 'X-Ours': '1', 'Cache-Control': 'no-store' },
  })
  expect(guard.reply(now('203.0.113.8'), request())).toMatchObject({ status: 403, headers: { 'X-Ours': '1' } })
  expect(guard.reply(now('203.0.113.9'), request())).toBeUndefined()
})

test('ids come from createId, and only refusals have one', () => {
  let id = 0
  const { now } = testGuard([deny(['203.0.113.7'])], { createId: () => `ref-${++id}` })
  expect(now('203.0.113.8')).not.toHaveProperty('id')
  expect(now('203.0.113.7').id).toBe('ref-1')
})

test('after close() the guard still answers', async () => {
  const { guard, now } = testGuard([policy({ name: 'no', evaluate: () => ({ action: 'deny' }) })])
  await guard.close()
  await guard.close()
  expect(now('203.0.113.7').action).toBe('deny')
})
