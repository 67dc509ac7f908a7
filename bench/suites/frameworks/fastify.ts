import fastifyRateLimit from '@fastify/rate-limit'
import { ipguard, rateLimit } from '@ipguard/fastify'
import fastify from 'fastify'
import { CLIENT_IP, type CreateServer, HEADERS, LIMIT, WINDOW } from './contender.ts'

/** Favourite: @fastify/rate-limit, its cache as large as the number of clients. */
export const createFastify: CreateServer = async (contender) => {
  const app = fastify({ trustProxy: contender === 'favourite' ? 'loopback' : false })
  if (contender === 'favourite') {
    await app.register(fastifyRateLimit, { max: LIMIT, timeWindow: 60_000, cache: 20_000 })
  } else if (contender === 'limit') {
    app.addHook('onRequest', (_request, reply, done) => {
      for (const [name, value] of HEADERS) reply.header(name, value)
      done()
    })
  } else if (contender !== 'bare') {
    const policies = [rateLimit({ limit: LIMIT, window: WINDOW })]
    await app.register(ipguard({ clientIp: CLIENT_IP, policies }, { headers: contender === 'ipguard' }))
  }
  app.get('/', (_request, reply) => {
    reply.send('ok')
  })
  await app.ready()
  return app.server
}
