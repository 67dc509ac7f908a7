import {
  allow,
  type ClientIpOptions,
  type Clock,
  createGuard,
  deny,
  type Guard,
  ipguard,
  memoryStore,
  onMethods,
  onPaths,
  rateLimit,
} from '@ipguard/express'
import express, { type Express, type Request } from 'express'
import { readList } from './read-data.ts'

/** Google's crawlers call from here, which is a data center too. */
const googlebot = '66.249.64.0/19'

export interface SiteOptions {
  /** Which header names the client, and which proxy may set it; nothing when nothing stands in front. */
  readonly clientIp?: ClientIpOptions
  /** The demo plays an old log, so it brings that log's time. */
  readonly clock?: Clock
}

/** Who may come in. The policies are asked in this order, and the first that decides ends it. */
export function createSiteGuard(options: SiteOptions = {}): Guard {
  return createGuard({
    ...options,
    store: memoryStore(),
    onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
    policies: [
      // The office is always let in: no limit counts it, no ban holds it.
      allow(['192.0.2.0/24'], { name: 'office' }),

      // Two lists of thousands of entries; looking an address up takes well under a microsecond.
      deny(readList('ipsum.txt'), { name: 'ipsum' }),
      deny(readList('datacenter-ipv4.txt'), { name: 'datacenters', except: [googlebot] }),

      // 30 requests in any 60 seconds. Who goes over it is banned for 6 hours, and for 30 days at the third time.
      rateLimit({
        limit: 30,
        window: '60s',
        ladder: [
          { name: 'graylist', ban: '6h' },
          { name: 'blacklist', ban: '30d', after: 3 },
        ],
      }),

      // Trying passwords: 10 attempts in 15 minutes, and a ban after 5 wrong ones. `strike()` below counts those.
      rateLimit({ name: 'login', limit: 10, window: '15m', when: [onPaths('/login'), onMethods('POST')] }),
      rateLimit({ name: 'failed-logins', ladder: [{ name: 'login', ban: '15m', after: 5, within: '10m' }] }),
    ],
  })
}

/** An ordinary Express app. The guard stands before everything else. */
export function createApp(guard: Guard): Express {
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

  app.use((req, res) => {
    res.type('text').send(`Welcome, ${req.ipguard.decision.client?.ip ?? 'stranger'}.\n`)
  })
  return app
}

function passwordIsRight(req: Request): boolean {
  return req.headers.authorization === `Basic ${btoa('demo:demo')}`
}

// `node app.ts` serves it; the demo and the test import it.
if (import.meta.main) {
  const port = Number(process.env.PORT ?? 3000)
  createApp(createSiteGuard()).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`))
}
