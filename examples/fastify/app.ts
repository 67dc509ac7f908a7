import { createGuard, deny, ipguard, memoryStore, nginx, rateLimit } from '@ipguard/fastify'
import { type FastifyRequest, fastify } from 'fastify'

/** What the application knows of a request. */
interface Facts {
  readonly plan: 'free' | 'gold'
}

const goldKeys = new Set(['key-of-a-gold-customer'])

function factsOf({ headers }: FastifyRequest): Facts {
  return { plan: goldKeys.has(String(headers['x-api-key'])) ? 'gold' : 'free' }
}

/** Who may come in anywhere: nobody from a listed network; 10 requests a minute, and 100 for who pays. */
const guard = createGuard<Facts>({
  store: memoryStore(),
  clientIp: nginx({ trust: ['127.0.0.1/32'] }), // nginx on this machine; whoever else sends X-Forwarded-For is not believed
  onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
  policies: [
    deny(['198.51.100.0/24', '2001:db8:bad::/48']),
    rateLimit<Facts>({ limit: (_request, _client, { plan }) => (plan === 'gold' ? 100 : 10), window: '1m' }),
  ],
})

/** Who may try passwords, on top of that: who has not got three wrong. */
const login = { policies: [rateLimit({ name: 'login', ladder: [{ ban: '15m', after: 3, within: '10m' }] })] }

const app = fastify()
await app.register(ipguard(guard, { facts: factsOf }))

// For the machine that looks whether this one is alive.
app.get('/health', { config: { ipguard: false } }, () => 'ok')

app.post('/login', { config: { ipguard: login } }, async (request, reply) => {
  if (request.headers.authorization === `Basic ${btoa('demo:demo')}`) {
    await request.ipguard.refund() // a login that succeeds does not count
    return 'Welcome back.\n'
  }
  await request.ipguard.strike()
  return reply.code(401).send('Wrong name or password.\n')
})

app.get('/', (request) => `Welcome, ${request.ipguard.decision.client?.ip}.\n`)

console.log(await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }))
