import { ipguard, rateLimit } from '@ipguard/express'
import express, { type Express } from 'express'
import { rateLimit as expressRateLimit } from 'express-rate-limit'

const LIMIT = 60_000

/** An Express app in a process of its own: listens, and answers every message with the CPU it has used so far. */
const app = express()
app.disable('x-powered-by')
protect(app, process.argv[2])
app.get('/', (_req, res) => {
  res.send('ok')
})
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: portOf() }))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.once('disconnect', () => process.exit(0))

function protect(on: Express, by: string | undefined): void {
  if (by === 'ipguard') {
    on.use(
      ipguard({
        clientIp: { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] },
        policies: [rateLimit({ limit: LIMIT, window: '60s' })],
      }),
    )
  } else if (by === 'express-rate-limit') {
    on.set('trust proxy', 'loopback')
    on.use(expressRateLimit({ limit: LIMIT, windowMs: 60_000, standardHeaders: 'draft-8', legacyHeaders: false }))
  }
}

function portOf(): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
