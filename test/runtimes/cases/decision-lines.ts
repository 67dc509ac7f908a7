import {
  allow,
  createGuard,
  deny,
  exceptPaths,
  type Guard,
  nginx,
  onMethods,
  onPaths,
  policy,
  rateLimit,
} from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { clientAddressVectors } from '../../../packages/conformance/src/client-address/client-address-vectors.ts'
import { guardOf, viewOf } from './address-cases.ts'

const START = Date.UTC(2026, 0, 1)
const CLIENTS = ['203.0.113.9', '203.0.113.10', '2001:db8:1:2::1', '2001:db8:1:2::2', '::ffff:203.0.113.9']
const ATTACKERS = ['198.51.100.7', '192.0.2.200', '2001:db8:bad::1', 'unknown', '']
const TARGETS = [
  '/',
  '/login',
  '/%6Cogin',
  '//login',
  '/x/../login?a=1',
  '/LOGIN/',
  '/health',
  '/export;v=1',
  '/%',
  '/é',
]

/**
 * Decisions as JSON, one a line, with clock and ids given: the client-address vectors, and a history of every kind of policy. Any difference
 * between runtimes in text, numbers, URLs, dates, sorting or the order of keys is a different line.
 */
export async function decisionLines(): Promise<string> {
  const lines: string[] = []
  for (const vector of clientAddressVectors) {
    const decision = await guardOf(vector).check(viewOf(vector), { peer: vector.peer })
    lines.push(`${vector.name} ${JSON.stringify(decision)}`)
  }
  let now = START
  let ids = 0
  const guard = historyGuard({ now: () => now }, () => `id-${++ids}`)
  for (let i = 0; i < 600; i++) {
    now += (i * 7_919) % 4_000
    const client = i % 7 === 3 ? ATTACKERS[i % ATTACKERS.length] : CLIENTS[i % CLIENTS.length]
    const target = TARGETS[(i * 31) % TARGETS.length] ?? '/'
    const request = {
      method: i % 3 === 0 ? 'POST' : 'GET',
      url: target,
      headers: { get: (name: string) => (name === 'x-forwarded-for' ? `${client}, 10.0.0.5` : null) },
    }
    const decision = await guard.check(request, { peer: '10.0.0.6', facts: { admin: i % 11 === 0 } })
    lines.push(`${i} ${JSON.stringify(decision)} ${JSON.stringify(guard.reply(decision, request))}`)
    if (i % 50 === 49) await guard.handle(request, decision).strike({ policy: 'logins' })
  }
  return lines.join('\n')
}

function historyGuard(clock: { now(): number }, createId: () => string): Guard<{ readonly admin: boolean }> {
  return createGuard<{ readonly admin: boolean }>({
    clock,
    createId,
    store: memoryStore({ clock }),
    clientIp: nginx({ trust: ['10.0.0.0/8'] }),
    policies: [
      allow(['203.0.113.10'], { name: 'office', when: onPaths('/health') }),
      deny(['198.51.100.0/24', '2001:db8:bad::/48'], { name: 'listed' }),
      policy({ name: 'admins', evaluate: ({ facts }) => (facts?.admin ? { action: 'challenge' } : undefined) }),
      deny(['192.0.2.128/25'], { name: 'watched', mode: 'shadow' }),
      rateLimit({
        limit: 30,
        window: '5m',
        when: exceptPaths('/health'),
        ladder: [
          { name: 'graylist', ban: '90s' },
          { name: 'blacklist', ban: '1h', after: 3 },
        ],
      }),
      rateLimit({
        name: 'login',
        limit: 1,
        window: '60s',
        algorithm: 'token-bucket',
        when: [onPaths('/login'), onMethods('POST')],
      }),
      rateLimit({ name: 'export', limit: 1, window: '60s', algorithm: 'fixed-window', when: onPaths('/export') }),
      rateLimit({ name: 'logins', ladder: [{ name: 'login', ban: '30s', after: 2, within: '10m' }] }),
    ],
  })
}
