import { createServer } from 'node:http'
import { ipguard, rateLimit } from '@ipguard/express'
import express from 'express'
import { rateLimit as expressRateLimit } from 'express-rate-limit'
import { CLIENT_IP, type CreateServer, HEADERS, LIMIT, WINDOW } from './contender.ts'

/** Favourite: express-rate-limit with draft-8 headers. */
export const createExpress: CreateServer = async (contender) => {
  const app = express()
  app.disable('x-powered-by')
  if (contender === 'favourite') {
    app.set('trust proxy', 'loopback')
    app.use(expressRateLimit({ limit: LIMIT, windowMs: 60_000, standardHeaders: 'draft-8', legacyHeaders: false }))
  } else if (contender === 'limit') {
    app.use((_req, res, next) => {
      for (const [name, value] of HEADERS) res.setHeader(name, value)
      next()
    })
  } else if (contender !== 'bare') {
    const policies = [rateLimit({ limit: LIMIT, window: WINDOW })]
    app.use(ipguard({ clientIp: CLIENT_IP, policies }, { headers: contender === 'ipguard' }))
  }
  app.get('/', (_req, res) => {
    res.send('ok')
  })
  return createServer(app)
}
