import type * as core from '@ipguard/core'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import fastify4 from 'fastify4'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createGuard, deny, ipguard, memoryStore, nginx, onPaths, policy, rateLimit } from '../src/index.ts'
import { serve } from './serve.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']
const refuseAll = { policies: [deny(EVERYBODY)] }

const hello = (request: FastifyRequest): { readonly ip: string | undefined } => ({
  ip: request.ipguard?.decision.client?.ip,
})

describe.each([
  ['Fastify 5', fastify],
  ['Fastify 4', fastify4],
])('ipguard on %s', (_name, create) => {
  it('takes its options from register, or is registered with them', async () => {
    const limit = rateLimit({ limit: 9, window: '1h' })
    const ways: readonly ((app: FastifyInstance) => unknown)[] = [
      (app) => app.register(ipguard, { policies: [limit], headers: true }),
      (app) => app.register(ipguard, { guard: createGuard({ policies: [limit], store: memoryStore() }) }),
      (app) => app.register(ipguard({ policies: [limit] })),
      (app) => app.register(ipguard({ policies: [limit] }, { headers: true })),
    ]
    for (const register of ways) {
      const app = create()
      register(app)
      app.get('/', hello)
      const { body, headers } = await (await serve(app))('/')
      expect([body, headers['ratelimit-policy']]).toEqual(['{"ip":"127.0.0.1"}', '"9-in-1h";q=9;w=3600'])
    }
  })

  it('stands in front of routes that were added before it and after it, in contexts beneath, and where there is none', async () => {
    const app = create()
    app.get('/before', hello)
    app.register(ipguard, refuseAll)
    app.get('/after', hello)
    app.register(async (inner) => void inner.get('/inner', hello), { prefix: '/in' })
    const send = await serve(app)
    for (const target of ['/before', '/after', '/in/inner', '/nowhere', '/in/nowhere'])
      expect([target, (await send(target)).status]).toEqual([target, 403])
  })

  it('stands only in front of the context that it is registered in', async () => {
    const app = create()
    app.register(
      async (inner) => {
        await inner.register(ipguard, refuseAll)
        inner.get('/', hello)
      },
      { prefix: '/in' },
    )
    const send = await serve(app.get('/', hello))
    expect([(await send('/in/')).status, (await send('/')).body]).toEqual([403, '{}'])
  })

  it('counts once where one guard is registered twice, and two guards stand side by side', async () => {
    const guard = createGuard({ policies: [rateLimit({ limit: 2, window: '1h' })], store: memoryStore() })
    const app = create()
    app.register(ipguard(guard))
    app.register(ipguard, { guard })
    app.register(ipguard, { policies: [] })
    const send = await serve(app.get('/', hello))
    expect([(await send('/')).status, (await send('/')).status, (await send('/')).status]).toEqual([200, 200, 429])
  })

  it('bans through the guard that it made', async () => {
    const plugin = ipguard({ policies: [] })
    const app = create()
    app.register(plugin)
    const send = await serve(app.get('/', hello))
    expect((await send('/')).status).toBe(200)
    await plugin.guard.ban('127.0.0.1', { for: '1h' })
    expect((await send('/')).status).toBe(403)
  })

  it('refuses as Fastify answers: headers set before stay, and hooks see it', async () => {
    const seen: unknown[] = []
    const app = create()
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'Access-Control-Allow-Origin': '*', Vary: 'Origin' })
    })
    app.addHook('onResponse', async (request, reply) => {
      seen.push(request.ipguard.decision.reason, reply.statusCode)
    })
    app.register(ipguard, refuseAll)
    const send = await serve(app)
    const { status, headers } = await send('/')
    expect([status, headers['access-control-allow-origin'], headers.vary]).toEqual([403, '*', 'Origin, Accept'])
    expect([headers['content-type'], seen]).toEqual(['application/problem+json; charset=utf-8', ['denied', 403]])
  })

  it('refuses before a body is parsed, and late where the decision is late', async () => {
    const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })
    const parsed = vi.fn()
    const app = create()
    app.addContentTypeParser('text/x', (_request, _payload, done) => done(parsed() ?? null))
    app.register(ipguard, { policies: [late] })
    app.post('/', hello)
    const send = await serve(app)
    const request = { method: 'POST', target: '/', body: 'x', headers: [['Content-Type', 'text/x']] } as const
    expect([(await send(request)).status, parsed.mock.calls]).toEqual([403, []])
  })

  it('hands facts that throw, and replies that HTTP cannot carry, to the error handler', async () => {
    const facts = (): never => {
      throw new Error('facts failed')
    }
    const onRefused = (): core.Reply => ({ status: 403, headers: { 'X-A': 'a\r\nB: c' }, body: '' })
    const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })
    const app = create()
    app.setErrorHandler((error: Error, _request, reply) => reply.send(error.message))
    const plugins = {
      facts: ipguard({ policies: [] }, { facts }),
      reply: ipguard({ policies: [deny(EVERYBODY)], onRefused }),
      late: ipguard({ policies: [late], onRefused }),
    }
    for (const [name, plugin] of Object.entries(plugins)) {
      app.register(async (inner) => {
        await inner.register(plugin)
        inner.get(`/${name}`, hello)
      })
    }
    const send = await serve(app)
    expect((await send('/facts')).body).toBe('facts failed')
    expect((await send('/reply')).body).toMatch(/Invalid character in header/)
    expect((await send('/late')).body).toMatch(/Invalid character in header/)
  })

  it('answers nothing more where an answer has begun', async () => {
    const app = create()
    app.addHook('onRequest', (_request, reply, done) => {
      reply.raw.write('first')
      done()
      reply.raw.end()
    })
    app.register(ipguard, refuseAll)
    expect((await (await serve(app))('/')).body).toBe('first')
  })

  it.each([
    ['/admin', [403, 403, 200]],
    ['/open', [403, 200, 200]],
  ])('goes by the path that Fastify routes after rewriteUrl, and by the one before: %s', async (path, statuses) => {
    const app = create({ rewriteUrl: (req) => (req.url === '/open' ? '/admin' : (req.url ?? '/')) })
    app.register(ipguard, { policies: [deny(EVERYBODY, { when: onPaths(path) })] })
    const send = await serve(app.get('/admin', hello).get('/public', hello))
    const seen = ['/open', '/admin', '/public'].map(async (target) => (await send(target)).status)
    expect(await Promise.all(seen)).toEqual(statuses)
  })

  describe('beside trustProxy', () => {
    const forwarded = { target: '/', headers: [['X-Forwarded-For', '203.0.113.9']] } as const

    async function warnings(
      trustProxy: boolean | string,
      clientIp: NonNullable<core.GuardOptions['clientIp']>,
    ): Promise<unknown[]> {
      const told: core.Finding[] = []
      const app = create({ trustProxy })
      app.register(ipguard, { policies: [], clientIp, onWarning: (warning) => told.push(warning) })
      const send = await serve(app.get('/', hello))
      await send(forwarded)
      await send(forwarded)
      return told.filter(({ code }) => code === 'IPGUARD_TRUST_DISAGREES').map(({ message }) => message)
    }

    it.each<readonly [string, boolean | string, NonNullable<core.GuardOptions['clientIp']>, readonly RegExp[]]>([
      ['warns once where only Fastify reads the header', '127.0.0.1', {}, [/Fastify's trustProxy.*clientIp/]],
      ['warns once where Fastify trusts everybody', true, {}, [/Fastify's trustProxy.*clientIp/]],
      ['says nothing where both read it', '127.0.0.1', nginx({ trust: ['loopback'] }), []],
      ['says nothing where only ipguard reads it', false, nginx({ trust: ['loopback'] }), []],
    ])('%s', async (_what, trustProxy, clientIp, messages) => {
      expect(await warnings(trustProxy, clientIp)).toEqual(messages.map((text) => expect.stringMatching(text)))
    })

    it('warns the process where a guard was given', async () => {
      const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      onTestFinished(() => emit.mockRestore())
      const app = create({ trustProxy: true })
      app.register(ipguard(createGuard({ policies: [] })))
      await (await serve(app.get('/', hello)))(forwarded)
      const told = { type: 'IpGuardWarning', code: 'IPGUARD_TRUST_DISAGREES' }
      expect(emit.mock.calls.filter(([, options]) => JSON.stringify(options) === JSON.stringify(told))).toHaveLength(1)
    })
  })
})

describe('options', () => {
  it.each([
    [{}, 'IPGUARD_OPTION_INVALID'],
    [{ policies: [], polices: [] }, 'IPGUARD_OPTION_UNKNOWN'],
    [{ policies: [], headers: 1 }, 'IPGUARD_OPTION_INVALID'],
    [{ policies: [], prefix: '/api' }, 'IPGUARD_OPTION_UNKNOWN'],
    [{ guard: {} }, 'IPGUARD_OPTION_INVALID'],
    [{ guard: createGuard({ policies: [] }), policies: [] }, 'IPGUARD_OPTION_UNKNOWN'],
  ])('register refuses %j, and the application does not start', async (options, code) => {
    await expect(fastify().register(ipguard, options as never)).rejects.toMatchObject({ code })
  })

  it('register refuses options beside a plugin that has them', async () => {
    const app = fastify()
    expect(() => app.register(ipguard({ policies: [] }), { headers: false } as never)).not.toThrow()
    await expect(app.ready()).rejects.toMatchObject({ code: 'IPGUARD_OPTION_UNKNOWN' })
  })
})

it('types facts, the request and the handle', () => {
  interface Facts {
    readonly plan: string
  }
  const limit = rateLimit<Facts>({ limit: (_req, _client, facts) => (facts.plan === 'gold' ? 2 : 1), window: '1h' })
  const guard = createGuard<Facts>({ policies: [limit], store: memoryStore() })
  const facts = (request: FastifyRequest): Facts => ({ plan: request.headers['x-plan']?.toString() ?? 'free' })
  const app = fastify()
  app.register(ipguard(guard, { facts }))
  app.register(ipguard, { policies: [limit], facts })
  app.post<{ Params: { id: string } }>(
    '/users/:id',
    { config: { ipguard: { policies: [limit] } } },
    async (request) => {
      const ban: core.Entry | undefined = await request.ipguard.strike()
      return { name: request.params.id, ban }
    },
  )
  // @ts-expect-error a route is guarded, or it is not, or by more policies
  const config = (): unknown => app.get('/', { config: { ipguard: 'no' } }, hello)
  // @ts-expect-error the facts of the guard are another shape
  const wrong = (): unknown => ipguard(guard, { facts: () => ({ tier: 1 }) })
  expect([typeof wrong, typeof config]).toEqual(['function', 'function'])
})
