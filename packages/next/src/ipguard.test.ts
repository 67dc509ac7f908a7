import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGuard, type Decision, deny, ipguard, memoryStore, onPaths, policy, rateLimit } from './index.ts'
import { withPeer } from './peer.ts'

const denied = deny(['203.0.113.0/24'])
const page = (headers?: HeadersInit): Request => new Request('http://localhost/page?q', headers && { headers })
/** A platform that names the client itself. */
const clientIp = { header: 'x-real-ip', originUnreachable: true } as const
const from = (ip: string, headers?: Record<string, string>): Request => page({ 'x-real-ip': ip, ...headers })

/** Runs as Next runs what a request has come to. */
function onConnection<T>(
  remoteAddress: string,
  run: () => T,
  headers: Record<string, string> = {},
  url = '/page?q',
): T {
  const request = Object.assign(new EventEmitter(), {
    url,
    headers,
    headersDistinct: headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: { remoteAddress },
  }) as unknown as IncomingMessage // as much of it as is read
  return withPeer(run)(request)
}

beforeEach(() => vi.stubEnv('NEXT_PHASE', undefined))
afterEach(() => vi.unstubAllEnvs())

describe('without a peer', () => {
  // The first: withPeer() cannot be taken back.
  it('throws at creation, with the choices', () => {
    expect(() => ipguard({ policies: [denied] })).toThrow(
      expect.objectContaining({
        code: 'IPGUARD_PEER_MISSING',
        message: expect.stringMatching(/vercel\(\).*originUnreachable.*registerPeer\(\).*withPeer\(\)/s),
      }),
    )
    expect(() => ipguard(createGuard({ policies: [denied] }))).toThrow('Next.js hides the address of the connection')
  })

  it('needs none where the platform names the client', async () => {
    const guarded = ipguard({ clientIp, policies: [denied] })
    expect((await guarded(from('203.0.113.7'))).status).toBe(403)
    expect((await guarded(from('192.0.2.7'))).headers.get('x-middleware-next')).toBe('1')
  })

  it('lets `next build` load the module; each request is an error then, neither refused nor let in', async () => {
    vi.stubEnv('NEXT_PHASE', 'phase-production-build')
    const guarded = ipguard({ policies: [denied] })
    const handler = vi.fn(() => new Response())
    const missing = expect.objectContaining({ code: 'IPGUARD_PEER_MISSING' })
    expect(() => guarded(page())).toThrow(missing)
    expect(() => guarded.protect(page())).toThrow(missing)
    await expect(guarded.route(handler)(page(), undefined)).rejects.toThrow(missing)
    expect(handler).not.toHaveBeenCalled()
  })

  it('is an error for a request that went past withPeer()', () => {
    onConnection('192.0.2.1', () => {})
    const guarded = ipguard({ policies: [denied] })
    expect(() => guarded(page())).toThrow(expect.objectContaining({ code: 'IPGUARD_PEER_MISSING' }))
  })
})

describe('with a peer', () => {
  it('is the proxy: the refusal, or the way on with the headers', async () => {
    const guarded = ipguard({ policies: [denied, rateLimit({ limit: 9, window: '60s' })] }, { exposeHeaders: true })
    const on = await onConnection('192.0.2.1', () => guarded(page({ 'x-forwarded-for': '203.0.113.7' })))
    expect(Object.fromEntries(on.headers)).toEqual({
      'access-control-expose-headers': 'RateLimit, RateLimit-Policy, Retry-After',
      ratelimit: expect.stringMatching(/^"9-in-60s";r=8;t=\d+$/),
      'ratelimit-policy': '"9-in-60s";q=9;w=60',
      'x-middleware-next': '1',
    })
    const refused = await onConnection('::ffff:203.0.113.7', () => guarded(page()))
    expect([refused.status, refused.headers.has('x-middleware-next')]).toEqual([403, false])
  })

  it('answers nothing but refusals from `protect`', async () => {
    const { protect } = ipguard({ policies: [denied] })
    expect(await onConnection('192.0.2.1', () => protect(page()))).toBeUndefined()
    expect((await onConnection('203.0.113.7', () => protect(page())))?.status).toBe(403)
  })

  it('hands the decision to a route handler, after its own arguments', async () => {
    const guarded = ipguard({ policies: [denied, rateLimit({ limit: 9, window: '60s' })] })
    const handler = vi.fn((request: Request, context: { readonly params: object }, handle) =>
      Response.json([request.url, context, handle.decision.client.ip], { headers: { Vary: 'Accept' } }),
    )
    const GET = guarded.route(handler)
    const answer = await onConnection('192.0.2.1', () => GET(page(), { params: {} }))
    expect(await answer.json()).toEqual(['http://localhost/page?q', { params: {} }, '192.0.2.1'])
    expect([answer.headers.get('ratelimit-policy'), answer.headers.get('vary')]).toEqual([
      '"9-in-60s";q=9;w=60',
      'Accept',
    ])
    const refused = await onConnection('203.0.113.7', () => GET(page(), { params: {} }))
    expect([refused.status, handler.mock.calls.length]).toEqual([403, 1])
  })

  it('counts a request once, however many parts of Next make a Request of it; another path is another', async () => {
    const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 9, window: '60s' })] })
    const guarded = ipguard(guard)
    const GET = guarded.route((_request, _context, { decision }) => Response.json(decision.limits?.[0]?.remaining))
    const left = await onConnection('192.0.2.1', async () => {
      await guarded(page())
      const same = await (await GET(page(), undefined)).json()
      const other = await (await GET(new Request('http://localhost/other'), undefined)).json()
      return [same, other]
    })
    expect(left).toEqual([8, 7])
    expect(await onConnection('192.0.2.1', async () => (await GET(page(), undefined)).json())).toBe(6)
  })

  it('takes a route handler’s path without the base path for that of the proxy, and holds what refuses either', async () => {
    const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 9, window: '60s' })] })
    const guarded = ipguard(guard)
    const proxied = Object.assign(new Request('http://localhost/shop/hand?q'), {
      nextUrl: { basePath: '/shop', locale: '' },
    })
    const hand = (path = '/hand?q'): Request => new Request(`http://localhost${path}`)
    const left = guarded.route((_request, _context, { decision }) => Response.json(decision.limits?.[0]?.remaining))
    const remaining = (request: Request): Promise<unknown> => left(request, undefined).then((answer) => answer.json())
    const found = await onConnection(
      '192.0.2.1',
      async () => {
        await guarded(proxied)
        return [await remaining(hand()), await remaining(hand('/hand')), await remaining(hand('/other/hand?q'))]
      },
      {},
      '/shop/hand?q',
    )
    expect(found).toEqual([8, 7, 6])

    for (const [name, status] of [
      ['/shop/hand', 403],
      ['/hand', 403],
      ['/shop', 200],
    ] as const) {
      const route = ipguard({ policies: [deny(['192.0.2.0/24'], { when: onPaths(name) })] }).route(() => new Response())
      const answer = await onConnection('192.0.2.1', () => route(hand(), undefined), {}, '/shop/hand?q')
      expect(answer.status, name).toBe(status)
    }
  })

  it('reads the headers of the connection, which Next cannot have changed', async () => {
    const guarded = ipguard({ clientIp: { header: 'x-forwarded-for', trust: ['192.0.2.1/32'] }, policies: [denied] })
    const changed = page({ 'x-forwarded-for': '203.0.113.7' })
    expect((await onConnection('192.0.2.1', () => guarded(changed))).status).toBe(200)
    const came = { 'x-forwarded-for': '203.0.113.7' }
    expect((await onConnection('192.0.2.1', () => guarded(page()), came)).status).toBe(403)
    expect((await onConnection('192.0.2.9', () => guarded(page()), came)).status).toBe(200)
  })

  it('tells the guard peer, facts and how to keep background work alive', async () => {
    const work = Promise.resolve()
    const told: unknown[] = []
    const telling = policy<string>({
      name: 'telling',
      evaluate({ client, facts, waitUntil }) {
        told.push([client?.ip, facts])
        waitUntil?.(work)
        return undefined
      },
    })
    const guarded = ipguard({ policies: [telling] }, { facts: (request) => request.headers.get('x-who') ?? '' })
    const waitUntil = vi.fn()
    await onConnection('192.0.2.1', () => guarded(page({ 'x-who': 'me' }), { waitUntil }))
    await onConnection('192.0.2.2', () => guarded(page()))
    expect(told).toEqual([
      ['192.0.2.1', 'me'],
      ['192.0.2.2', ''],
    ])
    expect(waitUntil.mock.calls).toEqual([[work]])
  })

  it('waits for a decision that takes its time', async () => {
    const slow = policy({ name: 'slow', evaluate: async () => ({ action: 'deny' }) })
    const guarded = ipguard({ policies: [slow] })
    expect((await onConnection('192.0.2.1', () => guarded(page()))).status).toBe(403)
    expect((await onConnection('192.0.2.1', () => guarded.protect(page())))?.status).toBe(403)
  })
})

describe('x-middleware-subrequest', () => {
  const forged = { 'x-middleware-subrequest': 'middleware:middleware' }

  it('is refused as every denial is: told in the decision, and consuming nothing', async () => {
    const onRefused = vi.fn((_decision, reply) => ({ ...reply, status: 418 }))
    const guarded = ipguard({ clientIp, onRefused, policies: [rateLimit({ limit: 9, window: '60s' })] })
    const decisions: Decision[] = []
    guarded.guard.on('decision', (decision) => void decisions.push(decision))
    const refused = await guarded(from('192.0.2.1', forged))
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([418, expect.stringContaining('r=9')])
    expect(onRefused).toHaveBeenCalledOnce()
    expect(decisions).toMatchObject([{ action: 'deny', policy: 'x-middleware-subrequest', reason: 'denied' }])
    expect((await guarded(from('192.0.2.1'))).headers.get('ratelimit')).toContain('r=8')
  })

  it('is only recorded by a guard in shadow', async () => {
    const guarded = ipguard({ clientIp, mode: 'shadow', policies: [] })
    expect((await guarded(from('192.0.2.1', forged))).status).toBe(200)
  })

  it('does not hide a refusal of another kind', async () => {
    const guarded = ipguard({ clientIp, policies: [rateLimit({ limit: 1, window: '60s' })] }, { headers: false })
    await guarded(from('192.0.2.1'))
    const refused = await guarded(from('192.0.2.1', forged))
    expect([refused.status, refused.headers.has('retry-after'), refused.headers.has('ratelimit')]).toEqual([
      429,
      true,
      false,
    ])
  })

  it('is not what a request carries whose headers Node has cut', async () => {
    const guarded = ipguard({ policies: [denied] })
    expect((await onConnection('192.0.2.1', () => guarded(page()), { 'x-middleware-subrequest': ', ' })).status).toBe(
      200,
    )
    expect((await onConnection('192.0.2.1', () => guarded(page()), forged)).status).toBe(403)
  })
})

it.each([
  [{ fact: () => 1 }, 'IPGUARD_OPTION_UNKNOWN'],
  [{ peer: () => '' }, 'IPGUARD_OPTION_UNKNOWN'],
  [{ headers: 1 }, 'IPGUARD_OPTION_INVALID'],
])('refuses the adapter options %j', (options, code) => {
  expect(() => ipguard({ clientIp, policies: [] }, options as never)).toThrow(expect.objectContaining({ code }))
})
