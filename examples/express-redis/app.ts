import { createGuard, type Guard, ipguard, nginx, onMethods, onPaths, rateLimit } from '@ipguard/express'
import { redisStore } from '@ipguard/store-redis'
import express, { type Express, type Request } from 'express'
import { createClient } from 'redis'
import { createAdmin } from './admin.ts'

/** As many as are started: without Redis each lets in its share of a limit. */
const PROCESSES = 2

/** What every process shares: counters, strikes, bans and managed entries. */
function createSiteGuard(url: string): Guard {
  // Without its queue the client refuses at once what it cannot send, and nothing piles up while Redis is away.
  const client = createClient({ url, disableOfflineQueue: true })
  // Hears at once of bans made elsewhere. Without it the store asks every 250 ms.
  const subscriber = client.duplicate()
  for (const each of [client, subscriber]) {
    each.on('error', (error: Error) => console.error(`redis: ${error.message}`))
    // Not awaited: without Redis the application starts all the same, and counts by itself until Redis is there.
    each.connect().catch(() => {})
  }
  const guard = createGuard({
    store: redisStore({ client, subscriber }),
    instances: PROCESSES,
    clientIp: nginx({ trust: ['127.0.0.1/32'] }),
    onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
    policies: [
      rateLimit({ limit: 20, window: '60s', ladder: [{ name: 'graylist', ban: '1h' }] }),
      rateLimit({ name: 'login', limit: 5, window: '15m', when: [onPaths('/login'), onMethods('POST')] }),
      rateLimit({ name: 'failed-logins', ladder: [{ name: 'login', ban: '15m', after: 3, within: '10m' }] }),
    ],
  })
  guard.on('degraded', ({ code }) => console.warn(`Redis does not answer (${code}): limits are counted here`))
  guard.on('recovered', ({ after }) => console.warn(`Redis answers again, after ${Math.round(after)} ms`))
  return guard
}

/** An ordinary Express app, which nothing tells that it is one of several. */
function createApp(guard: Guard): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(ipguard(guard))
  app.post('/login', async (req, res) => {
    if (passwordIsRight(req)) {
      await req.ipguard.refund() // a login that succeeds does not count
      res.send('Welcome.\n')
    } else {
      await req.ipguard.strike()
      res.status(401).send('Wrong name or password.\n')
    }
  })
  app.get('/', (req, res) => {
    const { client, degraded = [] } = req.ipguard.decision
    res.json({ client: client?.ip, process: process.pid, degraded })
  })
  return app
}

function passwordIsRight(req: Request): boolean {
  return req.headers.authorization === `Basic ${btoa('demo:demo')}`
}

const { PORT = '3001', ADMIN_PORT = '4001', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env
const guard = createSiteGuard(REDIS_URL)
createAdmin(guard).listen(Number(ADMIN_PORT), '127.0.0.1')
createApp(guard).listen(Number(PORT), '127.0.0.1', () => console.log(`process ${process.pid} on port ${PORT}`))
