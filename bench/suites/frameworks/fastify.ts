import fastifyRateLimit from '@fastify/rate-limit'
import { ipguard } from '@ipguard/fastify'
import fastify from 'fastify'
import { type CreateServer, LIMIT, optionsOf, setHeaders } from './contender.ts'

/** Favourite: @fastify/rate-limit, its cache as large as the number of clients. */
export const createFastify: CreateServer = async (contender) => {
  const app = fastify({ trustProxy: contender === 'favourite' ? 'loopback' : false })
  if (contender === 'favourite') {
    await app.register(fastifyRateLimit, { max: LIMIT, timeWindow: 60_000, cache: 20_000 })
  } else if (contender === 'limit') {
    app.addHook('onRequest', (_request, reply, done) => {
      // Not on the raw response: Node takes a longer way where headers of both come together.
      setHeaders({ setHeader: (name, value) => reply.header(name, value) })
      done()
    })
  } else if (contender !== 'bare') {
    await app.register(ipguard(...optionsOf(contender)))
  }
  app.get('/', (_request, reply) => {
    reply.send('ok')
  })
  await app.ready()
  return app.server
}
