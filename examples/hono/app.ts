import { serve } from '@hono/node-server'
import { createGuard, deny, ipguard, memoryStore, nginx, rateLimit } from '@ipguard/hono'
import { Hono } from 'hono'
import { cors } from 'hono/cors'

/** Who may come in anywhere: nobody from a listed network, and 20 requests a minute, with an hour away for who goes over that. */
const site = createGuard({
  store: memoryStore(),
  clientIp: nginx({ trust: ['127.0.0.1/32'] }), // nginx on this machine; whoever else sends X-Forwarded-For is not believed
  onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
  policies: [
    deny(['198.51.100.0/24', '2001:db8:bad::/48']),
    rateLimit({ limit: 20, window: '60s', ladder: [{ name: 'graylist', ban: '1h' }] }),
  ],
})

/** A search costs more than a page. */
const search = site.with({ policies: [rateLimit({ name: 'search', limit: 3, window: '60s' })] })

/** Who may use the API: who has not got its key wrong three times. */
const keys = site.with({ policies: [rateLimit({ name: 'keys', ladder: [{ ban: '15m', after: 3, within: '10m' }] })] })

const api = new Hono()
api.use(ipguard(keys), async (c, next) => {
  if (c.req.header('Authorization') === 'Bearer demo') return next()
  await c.get('ipguard').strike()
  return c.json({ error: 'wrong key' }, 401)
})
api.get('/orders', (c) => c.json([{ order: 1 }]))

const app = new Hono()
app.use(cors({ origin: 'https://shop.example' })) // out here, so that scripts of the shop can read a refusal
app.use(ipguard(site, { exposeHeaders: true }))
app.get('/', (c) => c.text(`Welcome, ${c.get('ipguard').decision.client?.ip}.\n`))
app.get('/search', ipguard(search), (c) => c.text(`Nothing like ${c.req.query('q')}.\n`))
app.route('/api', api)

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }, ({ address, port }) =>
  console.log(`http://${address}:${port}/`),
)
