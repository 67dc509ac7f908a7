import { createGuard, deny, ipguard, memoryStore, nginx, rateLimit } from '@ipguard/koa'
import Router from '@koa/router'
import Koa from 'koa'

/** Who may come in anywhere: nobody from a listed network, 20 requests a minute, and an hour away for who goes over that. */
const site = createGuard({
  store: memoryStore(),
  clientIp: nginx({ trust: ['127.0.0.1/32'] }), // nginx on this machine; whoever else sends X-Forwarded-For is not believed
  onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
  policies: [
    deny(['198.51.100.0/24', '2001:db8:bad::/48']),
    rateLimit({ limit: 20, window: '1m', ladder: [{ name: 'graylist', ban: '1h' }] }),
  ],
})

/** Who may try passwords: who has not got three wrong. */
const login = site.with({ policies: [rateLimit({ name: 'login', ladder: [{ ban: '15m', after: 3, within: '10m' }] })] })

const router = new Router()
router.post('/login', ipguard(login), async (ctx) => {
  if (ctx.get('Authorization') === `Basic ${btoa('demo:demo')}`) {
    await ctx.state.ipguard.refund() // a login that succeeds does not count
    ctx.body = 'Welcome back.\n'
  } else {
    await ctx.state.ipguard.strike()
    ctx.status = 401
    ctx.body = 'Wrong name or password.\n'
  }
})
router.get('/', (ctx) => {
  ctx.body = `Welcome, ${ctx.state.ipguard.decision.client?.ip}.\n`
})

const app = new Koa()

// Out here it sees refusals as any other answer.
app.use(async (ctx, next) => {
  await next()
  console.log(`${ctx.method} ${ctx.originalUrl} ${ctx.status} ${ctx.state.ipguard.decision.reason}`)
})
app.use(ipguard(site))
app.use(router.routes()).use(router.allowedMethods())

const port = Number(process.env.PORT ?? 3000)
app.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`))
