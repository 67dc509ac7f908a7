import { describe, expect, test } from 'vitest'
import type { Decision } from '../policy/decision.ts'
import { allowHeaders, reply } from './render-reply.ts'
import { toResponse } from './to-response.ts'

const at = Date.UTC(2026, 0, 1)
const limits = [
  { policy: 'secret-name', limit: 60, window: 60_000, remaining: 12, resetAt: at + 45_500 },
  { policy: 'other', limit: 1000, window: 3_600_000, remaining: 100, resetAt: at + 3_000_000 },
]
const limited: Decision = {
  action: 'limit',
  at,
  id: 'ref-1',
  policy: 'secret-name',
  reason: 'rate-limited',
  retryAfter: 86_400,
  expires: at + 86_400_000,
  tier: 'graylist',
  client: { ip: '203.0.113.7', key: '203.0.113.7', via: { rule: 'socket' } },
  evidence: [{ kind: 'limit', limit: 60, window: 60_000, cost: 1, remaining: 0 }],
  limits,
}
const denied: Decision = {
  action: 'deny',
  at,
  id: 'ref-2',
  policy: 'secret-feed',
  reason: 'denied',
  evidence: [{ kind: 'list', cidr: '203.0.113.0/24', label: 'secret-label' }],
}

test('problem+json, by default', () => {
  expect(reply(limited)).toEqual({
    status: 429,
    headers: {
      'Cache-Control': 'no-store',
      'Content-Type': 'application/problem+json; charset=utf-8',
      Vary: 'Accept',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Refused': 'ref-1',
      'Retry-After': '86400',
      'RateLimit-Policy': '"60-in-60s";q=60;w=60, "1000-in-1h";q=1000;w=3600',
      RateLimit: '"1000-in-1h";r=100;t=3000',
    },
    body: '{"type":"about:blank","title":"Too many requests","status":429,"error":"Too many requests","reason":"rate-limited","expires":"2026-01-02T00:00:00.000Z","retry_after":86400,"id":"ref-1"}',
  })
  expect(reply(denied)).toMatchObject({
    status: 403,
    body: '{"type":"about:blank","title":"Access denied","status":403,"error":"Access denied","reason":"denied","id":"ref-2"}',
  })
})

test('text', () => {
  const text = reply(limited, { accept: 'text/plain' })
  expect(text?.headers['Content-Type']).toBe('text/plain; charset=utf-8')
  expect(text?.body).toBe(
    "Too many requests. You have sent too many requests (rate-limited).\nTry again in 1 day.\nIf you think this is a mistake, give this reference to the site's owner: ref-1\n",
  )
})

test('HTML, without anything that could run', () => {
  const page = reply({ ...limited, id: '<script>"' }, { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
  expect(page?.headers).toMatchObject({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
  expect(page?.body).toContain('&#60;script&#62;&#34;')
  expect(page?.body).not.toContain('<script')
})

describe('which of the three', () => {
  test.each([
    [undefined, 'application/problem+json'],
    [null, 'application/problem+json'],
    ['', 'application/problem+json'],
    ['*/*', 'application/problem+json'],
    ['application/json', 'application/problem+json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['text/html;q=0.5, application/json', 'application/problem+json'],
    ['text/plain', 'text/plain'],
    ['text/plain;q=0.1, text/html;q=0', 'text/plain'],
    ['image/png', 'application/problem+json'],
    ['text/html;q=nonsense', 'application/problem+json'],
    [`${'a,'.repeat(50_000)}text/html`, 'application/problem+json'],
  ])('Accept: %.60s gives %s', (accept, type) => {
    expect(reply(denied, { accept })?.headers['Content-Type']).toBe(`${type}; charset=utf-8`)
  })
})

test('no reply and no header tells which list, rule or address matched', () => {
  for (const accept of ['application/json', 'text/plain', 'text/html']) {
    for (const decision of [limited, denied]) {
      expect(JSON.stringify(reply(decision, { accept }))).not.toMatch(/secret|203\.0\.113|graylist/)
    }
  }
})

test('exposeTier puts the tier in place of the reason', () => {
  expect(reply(limited, { exposeTier: true })?.body).toContain('"reason":"graylist"')
  expect(reply(denied, { exposeTier: true })?.body).toContain('"reason":"denied"')
})

test('every action that is not allow refuses, whatever it is', () => {
  expect(reply({ action: 'challenge', at, reason: 'challenge-required' })).toMatchObject({ status: 403 })
  expect(reply({ action: 'deny', at, reason: 'unknown-client' })).toMatchObject({ status: 403 })
  expect(reply({ action: 'else' as never, at })).toMatchObject({ status: 403 })
  expect(reply({ action: 'allow', at, limits })).toBeUndefined()
})

test('HEAD has no body', () => {
  expect(reply(denied, { method: 'HEAD' })?.body).toBe('')
})

test('allowed answers carry the RateLimit headers, if wanted', () => {
  const allowed: Decision = { action: 'allow', at, limits: limits.slice(0, 1) }
  expect(allowHeaders(allowed)).toEqual({
    'RateLimit-Policy': '"60-in-60s";q=60;w=60',
    RateLimit: '"60-in-60s";r=12;t=46',
  })
  expect(allowHeaders(allowed, { exposeHeaders: true })['Access-Control-Expose-Headers']).toBe(
    'RateLimit, RateLimit-Policy, Retry-After',
  )
  expect(allowHeaders(allowed, { rateLimitHeaders: false })).toEqual({})
  expect(allowHeaders({ action: 'allow', at })).toEqual({})
})

test('toResponse is the same as a Fetch Response', async () => {
  const request = new Request('http://localhost/', { headers: { accept: 'text/plain' } })
  const response = toResponse(denied, request)
  expect([response?.status, response?.headers.get('content-type'), await response?.text()]).toEqual([
    403,
    'text/plain; charset=utf-8',
    reply(denied, { accept: 'text/plain' })?.body,
  ])
  expect(toResponse({ action: 'allow', at }, request)).toBeUndefined()
})
