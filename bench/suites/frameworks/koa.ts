import { createServer } from 'node:http'
import { ipguard } from '@ipguard/koa'
import Koa from 'koa'
import koaRateLimit from 'koa-ratelimit'
import { type CreateServer, LIMIT, optionsOf, setHeaders } from './contender.ts'

/** Favourite: koa-ratelimit with its memory driver. */
export const createKoa: CreateServer = async (contender) => {
  const app = new Koa({ proxy: contender === 'favourite' })
  if (contender === 'favourite') {
    app.use(koaRateLimit({ driver: 'memory', db: new Map(), duration: 60_000, max: LIMIT, id: (ctx) => ctx.ip }))
  } else if (contender === 'limit') {
    app.use((ctx, next) => {
      setHeaders(ctx.res)
      return next()
    })
  } else if (contender !== 'bare') {
    app.use(ipguard(...optionsOf(contender)))
  }
  app.use((ctx) => {
    ctx.body = 'ok'
  })
  const answer = app.callback()
  return createServer((req, res) => void answer(req, res))
}
