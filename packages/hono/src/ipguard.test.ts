import { type Context, Hono } from 'hono'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Decision, deny, ipguard, policy, type Reply, rateLimit } from './index.ts'

// Here with the Response of the runtime itself, as on Bun, Deno and Workers; `@hono/node-server` has one of its own.

const EVERYBODY = ['0.0.0.0/0', '::/0']
const peer = (): string => '203.0.113.7'
const native = globalThis.Response

async function ask(app: Hono, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  expect(globalThis.Response).toBe(native)
  return app.fetch(new Request('http://localhost/', { method, headers }))
}

async function replyOf(answer: Response, like: Reply): Promise<Reply> {
  const names = Object.keys(like.headers)
  const headers = Object.fromEntries(names.map((name) => [name, answer.headers.get(name) ?? '(absent)']))
  return { status: answer.status, headers, body: await answer.text() }
}

it('takes no binding of a Worker for a connection', async () => {
  vi.stubGlobal('WebSocketPair', class {})
  vi.resetModules()
  onTestFinished(() => void vi.unstubAllGlobals())
  const onWorkers = await import('./index.ts')
  const app = new Hono().use(onWorkers.ipguard({ policies: [] })).get('/', (c) => c.text('in'))
  app.onError((error, c) => c.text(String(Reflect.get(error, 'code')), 500))
  const bindings = { server: { requestIP: () => ({ address: '203.0.113.7' }) }, incoming: {}, remoteAddr: {} }
  const answer = await app.fetch(new Request('http://localhost/'), bindings)
  expect(await answer.text()).toBe('IPGUARD_PEER_MISSING')
})

it('tells the limit on whatever the app answers', async () => {
  const app = new Hono().use(
    ipguard({ policies: [rateLimit({ limit: 9, window: '1h' })] }, { peer, exposeHeaders: true }),
  )
  app.onError((_error, c) => c.text('sorry', 500))
  app.get('/', (c) => c.redirect('/text'))
  app.get('/text', (c) => c.text('text', 200, { RateLimit: '"mine";r=1', 'Access-Control-Expose-Headers': 'X-A' }))
  app.get('/error', () => {
    throw new Error('on purpose')
  })
  app.get('/fetched', () => fetch('data:text/plain,fetched'))
  const seen: unknown[] = []
  for (const path of ['/', '/text', '/error', '/nowhere', '/fetched']) {
    const { status, headers } = await app.fetch(new Request(`http://localhost${path}`))
    expect(headers.get('ratelimit-policy')).toBe('"9-in-1h";q=9;w=3600')
    expect(headers.get('access-control-expose-headers')).toMatch(/RateLimit, RateLimit-Policy, Retry-After$/)
    seen.push([status, headers.get('ratelimit')?.slice(0, 13)])
  }
  expect(seen).toEqual([
    [302, '"9-in-1h";r=8'],
    [200, '"mine";r=1'],
    [500, '"9-in-1h";r=6'],
    [404, '"9-in-1h";r=5'],
    [200, '"9-in-1h";r=4'],
  ])
})

describe('a refusal', () => {
  it.each([
    ['JSON', { Accept: 'application/json' }, 'GET'],
    ['HTML', { Accept: 'text/html' }, 'GET'],
    ['text', { Accept: 'text/plain' }, 'GET'],
    ['nothing', {}, 'HEAD'],
  ])('is that of reply(), as %s', async (_type, headers, method) => {
    const replies: Reply[] = []
    const onRefused = (_decision: Decision, reply: Reply): undefined => void replies.push(reply)
    const app = new Hono().use(ipguard({ policies: [deny(EVERYBODY)], onRefused }, { peer }))
    const answer = await ask(app, headers, method)
    expect(replies).toEqual([await replyOf(answer, replies[0] as Reply)])
  })

  it('keeps what was set before it, and wins over it', async () => {
    const app = new Hono().use(async (c, next) => {
      for (const [name, value] of Object.entries({ 'X-Trace': '7', 'Cache-Control': 'public', Vary: 'Cookie' }))
        c.header(name, value)
      await next()
    })
    const { headers } = await ask(app.use(ipguard({ policies: [deny(EVERYBODY)] }, { peer })))
    expect(['x-trace', 'cache-control', 'vary'].map((name) => headers.get(name))).toEqual([
      '7',
      'no-store',
      'Cookie, Accept',
    ])
  })

  it('is alone where it is the only thing that the app has', async () => {
    const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })
    const app = new Hono().get('/', ipguard({ policies: [late] }, { peer }), (c: Context) => c.text('in'))
    expect((await ask(app)).status).toBe(403)
  })
})
