import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import fastify4 from 'fastify4'
import { describe, expect, it } from 'vitest'
import { createGuard, deny, ipguard, memoryStore, policy, rateLimit } from '../src/index.ts'
import { serve } from './serve.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']

const hello = (request: FastifyRequest): string => (request.ipguard ? 'guarded' : 'unguarded')

/** Routes may be added before the plugin has loaded, or after. */
type When = (app: FastifyInstance, addRoutes: () => void) => unknown
const before: When = (app, addRoutes) => {
  app.register(ipguard, { policies: [rateLimit({ name: 'site', limit: 9, window: '1h' })] })
  addRoutes()
}
const after: When = async (app, addRoutes) => {
  await app.register(ipguard, { policies: [rateLimit({ name: 'site', limit: 9, window: '1h' })] })
  addRoutes()
}

describe.each([
  ['Fastify 5', fastify],
  ['Fastify 4', fastify4],
])('config.ipguard on %s', (_name, create) => {
  describe.each([
    ['before the plugin has loaded', before],
    ['after it', after],
  ])('of routes added %s', (_when, start) => {
    it('false leaves a route open, and the HEAD route that Fastify makes of it', async () => {
      const app = create()
      await start(app, () => {
        app.get('/open', { config: { ipguard: false } }, hello)
        app.get('/', hello)
      })
      const send = await serve(app)
      const [open, head, guarded] = [
        await send('/open'),
        await send({ method: 'HEAD', target: '/open' }),
        await send('/'),
      ]
      expect([open.body, open.headers.ratelimit, head.status, head.headers.ratelimit, guarded.body]).toEqual([
        'unguarded',
        undefined,
        200,
        undefined,
        'guarded',
      ])
    })

    it('adds policies to those of the plugin, for HEAD too, and counts them together', async () => {
      const app = create()
      const login = { policies: [rateLimit({ name: 'login', limit: 2, window: '2h' })] }
      await start(app, () => app.get('/login', { config: { ipguard: login } }, hello))
      const send = await serve(app)
      const first = await send('/login')
      expect([first.status, first.headers['ratelimit-policy']]).toEqual([
        200,
        '"9-in-1h";q=9;w=3600, "2-in-2h";q=2;w=7200',
      ])
      expect((await send({ method: 'HEAD', target: '/login' })).status).toBe(200)
      expect([(await send({ method: 'HEAD', target: '/login' })).status, (await send('/login')).status]).toEqual([
        429, 429,
      ])
    })

    it('guards a route whose config says nothing of it', async () => {
      const app = create()
      await start(app, () => app.get('/', { config: { ipguard: undefined } as never }, hello))
      expect((await (await serve(app))('/')).body).toBe('guarded')
    })
  })

  it.each<readonly [unknown, string]>([
    [true, 'IPGUARD_OPTION_INVALID'],
    ['no', 'IPGUARD_OPTION_INVALID'],
    [null, 'IPGUARD_OPTION_INVALID'],
    [{ policy: [] }, 'IPGUARD_OPTION_UNKNOWN'],
    [{ policies: [{}] }, 'IPGUARD_OPTION_INVALID'],
    [[], 'IPGUARD_OPTION_INVALID'],
  ])('refuses %j when the route is added, and lets nobody in where it was added before', async (setting, code) => {
    const early = create()
    early.register(ipguard, { policies: [] })
    early.get('/', { config: { ipguard: setting as never } }, hello)
    expect((await (await serve(early))('/')).status).toBe(500)

    const app = create()
    await app.register(ipguard, { policies: [] })
    expect(() => app.get('/', { config: { ipguard: setting as never } }, hello)).toThrow(
      expect.objectContaining({ code }),
    )
    await app.close()
  })

  it('goes for every registration in front of the route', async () => {
    const app = create()
    await app.register(ipguard, { policies: [policy({ name: 'no', evaluate: () => ({ action: 'deny' }) })] })
    await app.register(ipguard, { policies: [deny(EVERYBODY)] })
    app.get('/open', { config: { ipguard: false } }, hello)
    expect((await (await serve(app))('/open')).body).toBe('unguarded')
  })

  it('counts a guard of two registrations once', async () => {
    const guard = createGuard({ policies: [], store: memoryStore() })
    const app = create()
    await app.register(ipguard(guard))
    await app.register(ipguard(guard))
    const once = { policies: [rateLimit({ limit: 1, window: '1h' })] }
    app.get('/', { config: { ipguard: once } }, hello)
    const send = await serve(app)
    expect([(await send('/')).status, (await send('/')).status]).toEqual([200, 429])
  })
})
