import {
  createGuard,
  deny,
  type Guard,
  ipguard,
  memoryStore,
  nginx,
  onPaths,
  rateLimit,
  reputation,
  verifiedCrawlers,
} from '@ipguard/express'
import { ipwhoisFeed } from '@ipguard/providers/feeds'
import { ipasis } from '@ipguard/providers/ipasis'
import { ipwhois } from '@ipguard/providers/ipwhois'
import express, { type Express } from 'express'

export interface SiteOptions {
  /** Where the vendors are. Leave it out to ask the real ones. */
  readonly vendors?: string
  readonly ipasisKey: string
  /** For the example's clients, which have addresses of documentation: a real site never looks those up. */
  readonly includePrivate?: boolean
}

/** A site that asks two sources about its visitors, and denies what a feed lists. */
export function createSite({ vendors, ipasisKey, includePrivate = false }: SiteOptions): {
  app: Express
  guard: Guard
} {
  const at = vendors === undefined ? {} : { baseUrl: vendors }
  const blacklist = ipwhois(at)
  const providers = [blacklist, ipasis({ key: ipasisKey, ...at })]
  const feed = ipwhoisFeed(vendors === undefined ? {} : { url: `${vendors}/feed.txt` })

  const guard = createGuard({
    store: memoryStore(),
    clientIp: nginx({ trust: ['127.0.0.1/32'] }),
    // Nothing is sent before `dryRun: false`; what would be is a `report` event.
    reports: { providers: [blacklist] },
    onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
    policies: [
      // Feeds list search engines now and then: those that prove who they are are spared.
      deny(feed, { name: 'feed', except: [verifiedCrawlers()] }),
      rateLimit({
        limit: 30,
        window: '60s',
        ladder: [
          { name: 'graylist', ban: '1h' },
          { name: 'blacklist', ban: '30d', after: 3, report: 'scan' },
        ],
      }),
      // Where it matters an answer is worth half a second, and may use what the quota keeps back.
      reputation({
        name: 'accounts',
        when: onPaths('/login', '/signup'),
        providers,
        wait: '500ms',
        challenge: 50,
        deny: 80,
        highValue: true,
        includePrivate,
      }),
      // Elsewhere nobody waits: the first request goes on, and the next one meets the verdict.
      reputation({ name: 'site', providers, deny: 80, categories: { tor: 'challenge' }, includePrivate }),
    ],
  })

  const sessions = new Map<string, string>()
  // A verdict may come after somebody was let in.
  guard.on('verdict', ({ ip, provider, action, score }) => {
    console.log(`verdict  ${ip} by ${provider}: ${action}, score ${Math.round(score)}`)
    if (action === 'deny' && sessions.delete(ip)) console.log(`session  of ${ip} ended`)
  })
  guard.on('report', ({ ip, provider, type, outcome }) =>
    console.log(`report   ${ip} to ${provider}: ${type}, ${outcome}`),
  )

  const app = express()
  app.disable('x-powered-by')
  app.use(ipguard(guard))
  app.get('/', (req, res) => {
    const { client, pending = [] } = req.ipguard.decision
    res.json({ client: client?.ip, pending })
  })
  app.post('/login', (req, res) => {
    const { client } = req.ipguard.decision
    if (client) sessions.set(client.ip, 'visitor')
    res.send('Welcome.\n')
  })
  return { app, guard }
}
