import { createServer } from 'node:http'
import { ipguard, rateLimit } from '@ipguard/koa'
import Koa from 'koa'
import koaRateLimit from 'koa-ratelimit'
import { CLIENT_IP, type CreateServer, HEADERS, LIMIT, WINDOW } from './contender.ts'

/** Favourite: koa-ratelimit with its memory driver. */
export const createKoa: CreateServer = async (contender) => {
  const app = new Koa({ proxy: contender === 'favourite' })
  if (contender === 'favourite') {
    app.use(koaRateLimit({ driver: 'memory', db: new Map(), duration: 60_000, max: LIMIT, id: (ctx) => ctx.ip }))
  } else if (contender === 'limit') {
    app.use((ctx, next) => {
      for (const [name, value] of HEADERS) ctx.res.setHeader(name, value)
      return next()
    })
  } else if (contender !== 'bare') {
    const policies = [rateLimit({ limit: LIMIT, window: WINDOW })]
    app.use(ipguard({ clientIp: CLIENT_IP, policies }, { headers: contender === 'ipguard' }))
  }
  app.use((ctx) => {
    ctx.body = 'ok'
  })
  const answer = app.callback()
  return createServer((req, res) => void answer(req, res))
}
