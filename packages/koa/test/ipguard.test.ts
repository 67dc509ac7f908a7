import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RawAnswer, type RawRequest, rawExchange } from '@ipguard/conformance'
import type * as core from '@ipguard/core'
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createGuard, deny, ipguard, memoryStore, nginx, onPaths, policy, rateLimit } from '../src/index.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']

async function listen(listener: RequestListener): Promise<(request: RawRequest | string) => Promise<RawAnswer>> {
  const server = createServer(listener)
  onTestFinished(() => server.close().closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return (request) =>
    rawExchange({ host: '127.0.0.1', port }, typeof request === 'string' ? { target: request } : request)
}

function serve(app: Pick<Koa, 'callback' | 'silent'>): ReturnType<typeof listen> {
  app.silent = true // Koa prints errors otherwise
  const callback = app.callback()
  return listen((req, res) => void callback(req, res))
}

const hello: Middleware = (ctx) => {
  ctx.body = ctx.state.ipguard.decision.client?.ip ?? 'nobody'
}

describe.each([
  ['Koa 3', Koa],
  ['Koa 2', Koa2],
])('ipguard on %s', (_name, Application) => {
  it('calls next within the call when the decision is synchronous', async () => {
    const order: string[] = []
    const middleware = ipguard({ policies: [rateLimit({ limit: 9, window: '1h' })] })
    const app = new Application().use(async (ctx, next) => {
      const rest = middleware(ctx, async () => {
        order.push('next')
        await next()
      })
      order.push('returned')
      await rest
    })
    const send = await serve(app.use(hello))
    expect([(await send('/')).body, order]).toEqual(['127.0.0.1', ['next', 'returned']])
  })

  it('bans through the guard that it made', async () => {
    const middleware = ipguard({ policies: [] })
    const send = await serve(new Application().use(middleware).use(hello))
    expect((await send('/')).status).toBe(200)
    await middleware.guard.ban('127.0.0.1', { for: '1h' })
    expect((await send('/')).status).toBe(403)
  })

  it('refuses as middleware further out expects: it sees status, headers and body, and may change them', async () => {
    const seen: unknown[] = []
    const app = new Application().use(async (ctx, next) => {
      ctx.set({ 'Access-Control-Allow-Origin': '*', Vary: 'Origin' })
      await next()
      seen.push(ctx.status, ctx.type, typeof ctx.body, ctx.state.ipguard.decision.reason)
      ctx.set('X-Seen', 'yes')
    })
    const send = await serve(app.use(ipguard({ policies: [deny(EVERYBODY)] })).use(hello))
    const { status, headers } = await send('/')
    expect([status, headers['access-control-allow-origin'], headers.vary, headers['x-seen']]).toEqual([
      403,
      '*',
      'Origin, Accept',
      'yes',
    ])
    expect(seen).toEqual([403, 'application/problem+json', 'string', 'denied'])
  })

  it('answers HEAD without a length that would not be that of GET', async () => {
    const send = await serve(new Application().use(ipguard({ policies: [deny(EVERYBODY)] })))
    const { status, headers } = await send({ method: 'HEAD', target: '/' })
    expect([status, headers['content-length']]).toEqual([403, undefined])
  })

  it('lets facts that throw, and replies that HTTP cannot carry, be errors like all others', async () => {
    const facts = (): never => {
      throw new Error('facts failed')
    }
    const onRefused = (): core.Reply => ({ status: 403, headers: { 'X-A': 'a\r\nB: c' }, body: '' })
    const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })
    const app = new Application().use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        ctx.body = (error as Error).message
      }
    })
    app.use(mount('/facts', ipguard({ policies: [] }, { facts })))
    app.use(mount('/reply', ipguard({ policies: [deny(EVERYBODY)], onRefused })))
    app.use(mount('/late', ipguard({ policies: [late], onRefused })))
    const send = await serve(app.use(hello))
    expect((await send('/facts')).body).toBe('facts failed')
    expect((await send('/reply')).body).toMatch(/Invalid character in header/)
    expect((await send('/late')).body).toMatch(/Invalid character in header/)
  })

  it('answers nothing more where an answer has begun', async () => {
    const app = new Application().use(async (ctx, next) => {
      ctx.res.write('first')
      await next()
      ctx.respond = false
      ctx.res.end()
    })
    const send = await serve(app.use(ipguard({ policies: [deny(EVERYBODY)] })))
    expect((await send('/')).body).toBe('first')
  })

  it('sees the whole URL within an Express that Koa is mounted in', async () => {
    const app = new Application().use(ipguard({ policies: [deny(EVERYBODY, { when: onPaths('/api/admin') })] }))
    app.silent = true
    const callback = app.use(hello).callback()
    // What Express does for `use('/api', callback)`.
    const send = await listen(
      (req, res) => void callback(Object.assign(req, { originalUrl: req.url, url: req.url?.replace('/api', '') }), res),
    )
    expect([(await send('/api/admin')).status, (await send('/api/public')).status]).toEqual([403, 200])
  })

  describe('beside app.proxy', () => {
    const forwarded = { target: '/', headers: [['X-Forwarded-For', '203.0.113.9']] } as const

    async function warnings(proxy: boolean, clientIp: NonNullable<core.GuardOptions['clientIp']>): Promise<unknown[]> {
      const told: core.Finding[] = []
      const app = Object.assign(new Application(), { proxy })
      app.use(ipguard({ policies: [], clientIp, onWarning: (warning) => told.push(warning) })).use(hello)
      const send = await serve(app)
      await send(forwarded)
      await send(forwarded)
      return told.filter(({ code }) => code === 'IPGUARD_TRUST_DISAGREES').map(({ message }) => message)
    }

    it.each<readonly [string, boolean, NonNullable<core.GuardOptions['clientIp']>, readonly RegExp[]]>([
      ['warns once where only Koa reads the header', true, {}, [/Koa's app\.proxy.*clientIp/]],
      ['says nothing where both read it', true, nginx({ trust: ['loopback'] }), []],
      ['says nothing where only ipguard reads it', false, nginx({ trust: ['loopback'] }), []],
    ])('%s', async (_what, proxy, clientIp, messages) => {
      expect(await warnings(proxy, clientIp)).toEqual(messages.map((text) => expect.stringMatching(text)))
    })

    it('warns the process where a guard was given', async () => {
      const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      onTestFinished(() => emit.mockRestore())
      const app = Object.assign(new Application(), { proxy: true }).use(ipguard(createGuard({ policies: [] })))
      await (await serve(app.use(hello)))(forwarded)
      const told = { type: 'IpGuardWarning', code: 'IPGUARD_TRUST_DISAGREES' }
      expect(emit.mock.calls).toEqual([[expect.stringMatching(/app\.proxy.*clientIp/), told]])
    })
  })
})

it('types facts, the context and the handle', () => {
  interface Facts {
    readonly plan: string
  }
  const limit = rateLimit<Facts>({ limit: (_req, _client, facts) => (facts.plan === 'gold' ? 2 : 1), window: '1h' })
  const guard = createGuard<Facts>({ policies: [limit], store: memoryStore() })
  const facts = (ctx: Context): Facts => ({ plan: ctx.get('x-plan') })
  const app = new Koa().use(ipguard(guard, { facts }))
  const router = new Router()
  router.post('/users/:id', ipguard(guard.with({ policies: [] })), async (ctx) => {
    const ban: core.Entry | undefined = await ctx.state.ipguard.strike()
    const id: string | undefined = ctx.params.id
    ctx.body = { id, ban }
  })
  new Koa<{ readonly user: string }>().use(ipguard(guard)).use((ctx) => {
    const user: string = ctx.state.user
    ctx.body = [user, ctx.state.ipguard.decision]
    // @ts-expect-error the handle has no such thing
    ctx.body = ctx.state.ipguard.unban
  })
  // @ts-expect-error the facts of the guard are another shape
  const wrong = (): unknown => ipguard(guard, { facts: () => ({ tier: 1 }) })
  expect([typeof wrong, typeof app.use]).toEqual(['function', 'function'])
})
