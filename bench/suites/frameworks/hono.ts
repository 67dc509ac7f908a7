import { createServer } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { ipguard } from '@ipguard/hono'
import { Hono } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { type CreateServer, LIMIT, optionsOf, setHeaders } from './contender.ts'

/** Favourite: hono-rate-limiter with draft-7 headers; it has no rule for the client's address, so its key is the header as it comes. */
export const createHono: CreateServer = async (contender) => {
  const app = new Hono<{ Bindings: HttpBindings }>()
  if (contender === 'favourite') {
    const keyGenerator = (c: { req: { header(name: string): string | undefined } }): string =>
      c.req.header('x-forwarded-for') ?? ''
    app.use(rateLimiter({ windowMs: 60_000, limit: LIMIT, standardHeaders: 'draft-7', keyGenerator }))
  } else if (contender === 'limit') {
    app.use((c, next) => {
      setHeaders(c.env.outgoing)
      return next()
    })
  } else if (contender !== 'bare') {
    app.use(ipguard(...optionsOf(contender)))
  }
  app.get('/', (c) => c.text('ok'))
  const answer = getRequestListener(app.fetch)
  return createServer((req, res) => void answer(req, res))
}
