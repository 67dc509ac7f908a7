import { createServer } from 'node:http'
import { ipguard } from '@ipguard/express'
import express from 'express'
import { rateLimit as expressRateLimit } from 'express-rate-limit'
import { type CreateServer, LIMIT, optionsOf, setHeaders } from './contender.ts'

/** Favourite: express-rate-limit with draft-8 headers. */
export const createExpress: CreateServer = async (contender) => {
  const app = express()
  app.disable('x-powered-by')
  if (contender === 'favourite') {
    app.set('trust proxy', 'loopback')
    app.use(expressRateLimit({ limit: LIMIT, windowMs: 60_000, standardHeaders: 'draft-8', legacyHeaders: false }))
  } else if (contender === 'limit') {
    app.use((_req, res, next) => {
      setHeaders(res)
      next()
    })
  } else if (contender !== 'bare') {
    app.use(ipguard(...optionsOf(contender)))
  }
  app.get('/', (_req, res) => {
    res.send('ok')
  })
  return createServer(app)
}
