import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RawAnswer, type RawRequest, rawExchange } from '@ipguard/conformance'
import type * as core from '@ipguard/core'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import express4 from 'express4'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createGuard, deny, ipguard, memoryStore, nginx, onPaths, policy, rateLimit } from '../src/index.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']

async function serve(app: Express): Promise<(request: RawRequest | string) => Promise<RawAnswer>> {
  app.set('env', 'test') // Express prints errors otherwise
  const server = createServer(app)
  onTestFinished(() => server.close().closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return (request) =>
    rawExchange({ host: '127.0.0.1', port }, typeof request === 'string' ? { target: request } : request)
}

const hello = (req: Request, res: Response): void => {
  res.json(req.ipguard?.decision.client?.ip ?? null)
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('ipguard on %s', (_name, create) => {
  it('calls next within the call when the decision is synchronous', async () => {
    const order: string[] = []
    const middleware = ipguard({ policies: [rateLimit({ limit: 9, window: '1h' })] })
    const app = create().use((req: Request, res: Response, next: NextFunction) => {
      middleware(req, res, () => {
        order.push('next')
        next()
      })
      order.push('returned')
    })
    const send = await serve(app.get('/', hello))
    expect([(await send('/')).body, order]).toEqual(['"127.0.0.1"', ['next', 'returned']])
  })

  it('bans through the guard that it made', async () => {
    const middleware = ipguard({ policies: [] })
    const send = await serve(create().use(middleware).get('/', hello))
    expect((await send('/')).status).toBe(200)
    await middleware.guard.ban('127.0.0.1', { for: '1h' })
    expect((await send('/')).status).toBe(403)
  })

  it('refuses a path that middleware before it has rewritten, by the old name and the new one, and not by half of it', async () => {
    const rewrite = (req: Request, _res: Response, next: NextFunction): void => {
      if (req.url === '/door') req.url = '/admin'
      next()
    }
    const refuse = (path: string) => ipguard({ policies: [deny(EVERYBODY, { when: onPaths(path) })] })
    const app = create().use('/old', rewrite, refuse('/old/door')).use('/new', rewrite, refuse('/new/admin'))
    const send = await serve(app.use('/half', refuse('/admin')).use(hello))
    const statuses = ['/old/door', '/new/door', '/new/admin', '/new/other', '/half/admin'].map(
      async (path) => (await send(path)).status,
    )
    expect(await Promise.all(statuses)).toEqual([403, 403, 403, 200, 200])
  })

  it('keeps the headers that were set before a refusal, so that other origins can read it', async () => {
    const cors = (_req: Request, res: Response, next: NextFunction): void => {
      res.set({ 'Access-Control-Allow-Origin': '*', Vary: 'Origin' })
      next()
    }
    const send = await serve(create().use(cors, ipguard({ policies: [deny(EVERYBODY)] })))
    const { status, headers } = await send('/')
    expect([status, headers['access-control-allow-origin'], headers.vary]).toEqual([403, '*', 'Origin, Accept'])
  })

  it('shows the decision on a refused request to what listens for its end', async () => {
    const seen: unknown[] = []
    const log = (req: Request, res: Response, next: NextFunction): void => {
      res.on('finish', () => seen.push(req.ipguard.decision.reason))
      next()
    }
    const send = await serve(create().use(log, ipguard({ policies: [deny(EVERYBODY)] })))
    await send('/')
    expect(seen).toEqual(['denied'])
  })

  it('hands facts that throw, and replies that HTTP cannot carry, to the error handler', async () => {
    const app = create()
    const facts = (): never => {
      throw new Error('facts failed')
    }
    const onRefused = (): core.Reply => ({ status: 403, headers: { 'X-A': 'a\r\nB: c' }, body: '' })
    const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })
    app.use('/facts', ipguard({ policies: [] }, { facts }))
    app.use('/reply', ipguard({ policies: [deny(EVERYBODY)], onRefused }))
    app.use('/late', ipguard({ policies: [late], onRefused }))
    app.use(hello)
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
      res.status(500).send(error.message)
    })
    const send = await serve(app)
    expect((await send('/facts')).body).toBe('facts failed')
    expect((await send('/reply')).body).toMatch(/Invalid character in header/)
    expect((await send('/late')).body).toMatch(/Invalid character in header/)
  })

  it.each([
    ['at once', policy({ name: 'now', evaluate: () => undefined })],
    ['late', policy({ name: 'late', evaluate: async () => undefined })],
  ])('hands on an error of its own once, decided %s', async (_when, decided) => {
    const errors: unknown[] = []
    const app = create().use((req: Request, res: Response) => {
      Object.defineProperty(req, 'ipguard', { writable: false })
      ipguard({ policies: [decided] })(req, res, (error) => {
        errors.push(error)
        res.end()
      })
    })
    const send = await serve(app)
    await send('/')
    expect(errors).toEqual([expect.any(TypeError)])
  })

  it('answers nothing more where an answer has begun', async () => {
    const app = create().use((_req: Request, res: Response, next: NextFunction) => {
      res.end('first')
      next()
    })
    const send = await serve(app.use(ipguard({ policies: [deny(EVERYBODY)] })))
    expect((await send('/')).body).toBe('first')
  })

  describe('beside trust proxy', () => {
    const forwarded = { target: '/', headers: [['X-Forwarded-For', '203.0.113.9']] } as const

    async function warnings(trust: unknown, clientIp: NonNullable<core.GuardOptions['clientIp']>): Promise<unknown[]> {
      const codes: string[] = []
      const app = create().set('trust proxy', trust)
      app.use(ipguard({ policies: [], clientIp, onWarning: ({ code }) => codes.push(code) }), hello)
      const send = await serve(app)
      await send(forwarded)
      await send(forwarded)
      return codes.filter((code) => code === 'IPGUARD_TRUST_DISAGREES')
    }

    it.each<readonly [string, unknown, NonNullable<core.GuardOptions['clientIp']>, number]>([
      ['warns once where only Express reads the header', 1, {}, 1],
      ['warns once where Express trusts everybody', true, {}, 1],
      ['says nothing where both read it', 'loopback', nginx({ trust: ['loopback'] }), 0],
      ['says nothing where only ipguard reads it', false, nginx({ trust: ['loopback'] }), 0],
      ['says nothing where Express has not been asked', undefined, {}, 0],
    ])('%s', async (_what, trust, clientIp, count) => {
      expect(await warnings(trust, clientIp)).toHaveLength(count)
    })

    it.each([
      ['at once', policy({ name: 'now', evaluate: () => undefined })],
      ['late', policy({ name: 'late', evaluate: async () => undefined })],
    ])('answers a request whose header makes the function for it throw, decided %s', async (_when, decided) => {
      const trust = (address: string): boolean => {
        if (!address.includes('.')) throw new Error('not an address')
        return true
      }
      const send = await serve(
        create()
          .set('trust proxy', trust)
          .use(ipguard({ policies: [decided] }), hello),
      )
      const headers = [['X-Forwarded-For', '203.0.113.9, unknown']] as const
      expect((await send({ target: '/', headers })).status).toBe(200)
    })

    it('warns the process where a guard was given', async () => {
      const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      onTestFinished(() => emit.mockRestore())
      const send = await serve(
        create()
          .set('trust proxy', 1)
          .use(ipguard(createGuard({ policies: [] })), hello),
      )
      await send(forwarded)
      const told = { type: 'IpGuardWarning', code: 'IPGUARD_TRUST_DISAGREES' }
      expect(emit.mock.calls).toEqual([[expect.stringMatching(/trust proxy.*clientIp/), told]])
    })
  })
})

it('types facts, the request and the handle', () => {
  interface Facts {
    readonly plan: string
  }
  const limit = rateLimit<Facts>({ limit: (_req, _client, facts) => (facts.plan === 'gold' ? 2 : 1), window: '1h' })
  const guard = createGuard<Facts>({ policies: [limit], store: memoryStore() })
  const facts = (req: Request): Facts => ({ plan: req.get('x-plan') ?? 'free' })
  const app = express()
  app.use(ipguard(guard, { facts }))
  app.post('/users/:id', ipguard(guard.with({ policies: [] })), async (req, res) => {
    const { id } = req.params
    const ban: core.Entry | undefined = await req.ipguard.strike()
    const name: string = id
    res.json({ name, ban })
  })
  // @ts-expect-error the facts of the guard are another shape
  const wrong = (): unknown => ipguard(guard, { facts: () => ({ tier: 1 }) })
  expect(wrong).toBeTypeOf('function')
})
