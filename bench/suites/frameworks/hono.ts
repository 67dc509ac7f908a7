import { createServer } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { ipguard, rateLimit } from '@ipguard/hono'
import { Hono } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { CLIENT_IP, type CreateServer, HEADERS, LIMIT, WINDOW } from './contender.ts'

/** Favourite: hono-rate-limiter with draft-7 headers; it has no rule for the client's address, so its key is the header as it comes. */
export const createHono: CreateServer = async (contender) => {
  const app = new Hono<{ Bindings: HttpBindings }>()
  if (contender === 'favourite') {
    const keyGenerator = (c: { req: { header(name: string): string | undefined } }): string =>
      c.req.header('x-forwarded-for') ?? ''
    app.use(rateLimiter({ windowMs: 60_000, limit: LIMIT, standardHeaders: 'draft-7', keyGenerator }))
  } else if (contender === 'limit') {
    app.use((c, next) => {
      for (const [name, value] of HEADERS) c.env.outgoing.setHeader(name, value)
      return next()
    })
  } else if (contender !== 'bare') {
    const policies = [rateLimit({ limit: LIMIT, window: WINDOW })]
    app.use(ipguard({ clientIp: CLIENT_IP, policies }, { headers: contender === 'ipguard' }))
  }
  app.get('/', (c) => c.text('ok'))
  const answer = getRequestListener(app.fetch)
  return createServer((req, res) => void answer(req, res))
}
