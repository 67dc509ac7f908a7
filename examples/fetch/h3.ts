import { ipguard, srvx } from '@ipguard/fetch'
import { H3, serve, toResponse } from 'h3'
import { guard, logIn, welcome } from './site.ts'

const app = new H3()

// What an h3 handler answers may be any value: as a response, it can be given headers.
const guarded = ipguard(guard, srvx)
app.use((event, next) => guarded(event.req, async () => toResponse(await next(), event)))

app.get('/', ({ req }) => welcome(req))
app.post('/login', async ({ req, res }) => {
  if (await logIn(req)) return 'Welcome back.\n'
  res.status = 401
  return 'Wrong name or password.\n'
})

serve(app, { hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
