import { ipguard, rateLimit, reputation } from '@ipguard/express'
import { providerFetch } from '@ipguard/providers'
import { redisStore } from '@ipguard/store-redis'
import express from 'express'
import { createClient } from 'redis'

/** One of four Express servers on one Redis; answers every message with the CPU it has used so far. */
const [, , redisPort, sourceUrl] = process.argv
const client = createClient({ socket: { host: '127.0.0.1', port: Number(redisPort) }, disableOfflineQueue: true })
client.on('error', () => {})
await client.connect()

const source = {
  name: 'source',
  quota: { perMinute: 15, perDay: 500 },
  async lookup(ip: string, { signal }: { readonly signal: AbortSignal }) {
    const answer = await providerFetch(`${sourceUrl}/?ip=${encodeURIComponent(ip)}`, { signal })
    const { score } = answer.json() as { score: number } // the bench's own source
    return { score }
  },
}
const app = express()
app.disable('x-powered-by')
app.use(
  ipguard({
    clientIp: { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] },
    store: redisStore({ client, prefix: 'reputation' }),
    instances: 4,
    deadline: '10s',
    policies: [
      rateLimit({ limit: 60_000, window: '60s' }),
      reputation({ providers: [source], challenge: 50, deny: 80, when: ({ url }) => url === '/with' }),
    ],
  }),
)
app.get(['/with', '/without'], (_req, res) => {
  res.send('ok')
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 })
})
// the load may leave a connection alone for a while, and must not meet its end
server.keepAliveTimeout = 600_000
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.once('disconnect', () => process.exit(0))
