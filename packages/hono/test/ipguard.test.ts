import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type RawAnswer, type RawRequest, rawExchange } from '@ipguard/conformance'
import type * as core from '@ipguard/core'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { methodOverride } from 'hono/method-override'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type * as adapter from '../src/index.ts'
import { createGuard, deny, fly, ipguard, memoryStore, onMethods, onPaths, policy, rateLimit } from '../src/index.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']
const hello = (c: Context): Response => c.json(c.get('ipguard').decision.client?.ip ?? null)

async function listen(server: Server): Promise<{ readonly host: string; readonly port: number }> {
  onTestFinished(() => server.close().closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

async function serve(app: Hono): Promise<(request: RawRequest | string) => Promise<RawAnswer>> {
  const target = await listen(createAdaptorServer({ fetch: app.fetch }) as Server)
  return (request) => rawExchange(target, typeof request === 'string' ? { target: request } : request)
}

/** The answer to a request that came with what a runtime passes behind it. */
async function ask(
  app: Hono,
  env?: object,
  init?: RequestInit,
): Promise<{ status: number; text: string; limit: string | null }> {
  const answer = await app.fetch(new Request('http://localhost/', init), env)
  return { status: answer.status, text: await answer.text(), limit: answer.headers.get('ratelimit') }
}

describe('a request that the application dispatches anew', () => {
  const override = (app: Hono) => methodOverride({ app, header: 'x-method' })
  const DELETE = { target: '/', method: 'POST', headers: [['x-method', 'DELETE']] } as const

  it('is judged by the method that Hono routes by, wherever the guard stands', async () => {
    for (const isFirst of [true, false]) {
      const app = new Hono()
      const guard = ipguard({ policies: [deny(EVERYBODY, { when: onMethods('DELETE') })] })
      app.use(...(isFirst ? [guard, override(app)] : [override(app), guard]))
      app.delete('/', (c) => c.text('deleted'))
      expect((await (await serve(app))(DELETE)).status, String(isFirst)).toBe(403)
    }
  })

  it('is judged by its own path too, and counts once', async () => {
    const app = new Hono()
    app.use(
      ipguard({ policies: [rateLimit({ limit: 9, window: '1h' }), deny(EVERYBODY, { when: onPaths('/admin') })] }),
    )
    app.get('/en/:page', (c) => app.fetch(new Request(new URL(`/${c.req.param('page')}`, c.req.url)), c.env))
    app.get('/hello', (c) => c.text(String(c.get('ipguard').decision.limits?.[0]?.remaining)))
    const send = await serve(app)
    expect((await send('/en/hello')).body).toBe('8')
    expect((await send('/hello')).body).toBe('7')
    expect((await send('/en/admin')).status).toBe(403)
  })

  it('holds for the whole path inside a mounted app', async () => {
    const inner = new Hono().use(ipguard({ policies: [deny(EVERYBODY, { when: onPaths('/mnt/admin') })] }))
    inner.get('/admin', (c) => c.text('in')).get('/open', (c) => c.text('in'))
    const send = await serve(new Hono().mount('/mnt', inner.fetch))
    expect([(await send('/mnt/admin')).status, (await send('/mnt/open')).status]).toEqual([403, 200])
  })
})

describe('ipguard', () => {
  it('bans through the guard that it made', async () => {
    const middleware = ipguard({ policies: [] })
    const send = await serve(new Hono().use(middleware).get('/', hello))
    expect((await send('/')).status).toBe(200)
    await middleware.guard.ban('127.0.0.1', { for: '1h' })
    expect((await send('/')).status).toBe(403)
  })

  it('keeps the headers that were set before a refusal, so that other origins can read it', async () => {
    const app = new Hono().use(cors({ origin: 'https://a.example', exposeHeaders: ['X-Trace'] }))
    app.use(async (c, next) => {
      for (const [name, value] of Object.entries({ 'Cache-Control': 'public', 'X-Trace': '7', Vary: 'Cookie' }))
        c.header(name, value)
      await next()
    })
    app.use(ipguard({ policies: [deny(EVERYBODY)] }))
    const send = await serve(app)
    const { status, headers, body } = await send({ target: '/', headers: [['Origin', 'https://a.example']] })
    expect(JSON.parse(body)).toMatchObject({ status: 403 })
    expect([status, headers['access-control-allow-origin'], headers['x-trace'], headers.vary]).toEqual([
      403,
      'https://a.example',
      '7',
      'Cookie, Accept, Origin',
    ])
    expect([headers['cache-control'], headers['content-type']]).toEqual([
      'no-store',
      'application/problem+json; charset=utf-8',
    ])
  })

  it('shows the decision on a refused request to what stands in front', async () => {
    const seen: unknown[] = []
    const app = new Hono().use(async (c, next) => {
      await next()
      seen.push([c.res.status, c.get('ipguard').decision.reason])
    })
    await (await serve(app.use(ipguard({ policies: [deny(EVERYBODY)] }))))('/')
    expect(seen).toEqual([[403, 'denied']])
  })

  it('tells the limit on errors, on what is not found and on what cannot be changed', async () => {
    const app = new Hono().use(ipguard({ policies: [rateLimit({ limit: 9, window: '1h' })] }))
    app.onError((_error, c) => c.text('sorry', 500))
    app.get('/error', () => {
      throw new Error('on purpose')
    })
    app.get('/fetched', () => fetch('data:text/plain,fetched'))
    const send = await serve(app)
    const answers = [await send('/error'), await send('/nowhere'), await send('/fetched')]
    expect(answers.map(({ status, headers }) => [status, headers['ratelimit-policy']])).toEqual(
      [500, 404, 200].map((status) => [status, '"9-in-1h";q=9;w=3600']),
    )
    expect(answers[2]?.body).toBe('fetched')
  })

  it('hands facts and a peer that throw to the error handler', async () => {
    const fail = (): never => {
      throw new Error('on purpose')
    }
    for (const options of [{ facts: fail }, { peer: fail }]) {
      const app = new Hono().onError((error, c) => c.text(error.message, 500))
      app.use(ipguard({ policies: [] }, options)).get('/', hello)
      expect(await ask(app, { remoteAddr: {} })).toMatchObject({ status: 500, text: 'on purpose' })
    }
  })

  it('keeps background work where there is a context for it, and does without', async () => {
    const work = Promise.resolve()
    const watch = policy({
      name: 'watch',
      evaluate({ waitUntil }) {
        waitUntil?.(work)
        return undefined
      },
    })
    const app = new Hono().use(ipguard({ policies: [watch], clientIp: fly() })).get('/', (c) => c.text('in'))
    const context = { waitUntil: vi.fn(), passThroughOnException: () => {}, props: {} }
    const init = { headers: { 'Fly-Client-IP': '198.51.100.7' } }
    expect((await app.fetch(new Request('http://localhost/', init), {}, context)).status).toBe(200)
    expect(context.waitUntil.mock.calls).toEqual([[work]])
    expect((await ask(app, {}, init)).status).toBe(200)
  })
})

describe('the client', () => {
  const bun = { requestIP: () => ({ address: '203.0.113.7' }), port: 80 }
  const socket = { remoteAddress: '203.0.113.7', destroyed: false }
  const incoming = { headers: {}, rawHeaders: [], socket }

  it.each<readonly [string, object, string | null]>([
    ['of Bun', bun, '203.0.113.7'],
    ['of Bun, where the caller names it', { server: bun }, '203.0.113.7'],
    ['of Bun, on a connection that is gone', { ...bun, requestIP: () => null }, null],
    ['of Deno', { remoteAddr: { transport: 'tcp', hostname: '203.0.113.7' } }, '203.0.113.7'],
    ['of node-server', { incoming }, '203.0.113.7'],
    ['of node-server, where the caller names it', { server: { incoming } }, '203.0.113.7'],
  ])('%s is that of the connection', async (_what, env, client) => {
    const app = new Hono().use(ipguard({ policies: [], onUnknownClient: 'evaluate' })).get('/', hello)
    expect(await ask(app, env)).toMatchObject({ status: 200, text: JSON.stringify(client) })
  })

  it.each<readonly [string, adapter.PeerOfContext]>([
    ['text', () => '203.0.113.9'],
    ['the answer of a getConnInfo', () => ({ remote: { address: '203.0.113.9', addressType: 'IPv4' } })],
  ])('may be named by a function that answers %s', async (_what, peer) => {
    const app = new Hono().use(ipguard({ policies: [] }, { peer })).get('/', hello)
    expect(await ask(app, bun)).toMatchObject({ text: '"203.0.113.9"' })
  })

  it('is found by the getConnInfo of node-server', async () => {
    const send = await serve(new Hono().use(ipguard({ policies: [] }, { peer: getConnInfo })).get('/', hello))
    expect((await send('/')).body).toBe('"127.0.0.1"')
  })

  it.each([[undefined], [{}], [{ KEY: 'a binding' }]])('is an error where the runtime passes %j', async (env) => {
    const codes: unknown[] = []
    const app = new Hono().use(ipguard({ policies: [] })).get('/', hello)
    app.onError((error, c) => {
      codes.push((error as core.IpGuardError).code)
      return c.text('', 500)
    })
    expect((await ask(app, env)).status).toBe(500)
    expect(codes).toEqual(['IPGUARD_PEER_MISSING'])
  })

  it('is named by a platform where there is no connection', async () => {
    const app = new Hono().use(ipguard({ policies: [], clientIp: fly() })).get('/', hello)
    expect((await ask(app, {}, { headers: { 'Fly-Client-IP': '198.51.100.7' } })).text).toBe('"198.51.100.7"')
  })
})

it('counts a request once, although middleware between two mounts puts another one in its place', async () => {
  const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 9, window: '1h' })] })
  const app = new Hono().use(ipguard(guard), bodyLimit({ maxSize: 99 }), ipguard(guard))
  app.post('/', async (c) => c.text(await c.req.text()))
  const env = { requestIP: () => ({ address: '203.0.113.7' }), port: 80 }
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('body'))
      controller.close()
    },
  })
  const init = { method: 'POST', body, duplex: 'half' } as const
  expect(await ask(app, env, init)).toMatchObject({ text: 'body', limit: expect.stringContaining('r=8') })
})

it('counts once behind an app of node:http that asked the same guard', async () => {
  const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 9, window: '1h' })] })
  const app = new Hono().use(ipguard(guard)).get('/', hello)
  const answer = async (req: IncomingMessage): Promise<string> => {
    const seen = { method: 'GET', url: '/', headers: { get: () => undefined }, native: req }
    await guard.check(seen, { peer: '127.0.0.1' })
    const { headers } = await app.fetch(new Request('http://localhost/'), { incoming: req })
    return headers.get('ratelimit') ?? 'none'
  }
  const target = await listen(createServer((req, res) => void answer(req).then((text) => res.end(text))))
  expect((await rawExchange(target, { target: '/' })).body).toContain('r=8')
})

it('refuses a peer that is no function', () => {
  expect(() => ipguard({ policies: [] }, { peer: '203.0.113.7' } as never)).toThrow(
    expect.objectContaining({ code: 'IPGUARD_OPTION_INVALID' }),
  )
})

it('types facts, the context and the handle', () => {
  interface Facts {
    readonly plan: string
  }
  const limit = rateLimit<Facts>({ limit: (_req, _client, facts) => (facts.plan === 'gold' ? 2 : 1), window: '1h' })
  const guard = createGuard<Facts>({ policies: [limit], store: memoryStore() })
  const app = new Hono<{ Variables: { user: string } }>()
  app.use(ipguard(guard, { facts: (c) => ({ plan: c.req.header('x-plan') ?? 'free' }) }))
  app.post('/users/:id', ipguard(guard.with({ policies: [] })), async (c) => {
    const ban: core.Entry | undefined = await c.var.ipguard.strike()
    const id: string = c.req.param('id')
    return c.json({ id, ban, user: c.get('user') })
  })
  // @ts-expect-error the facts of the guard are another shape
  const wrong = (): unknown => ipguard(guard, { facts: () => ({ tier: 1 }) })
  expect(wrong).toBeTypeOf('function')
})
