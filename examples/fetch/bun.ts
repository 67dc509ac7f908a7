import { bunServe, protect } from '@ipguard/fetch'
import { handler } from './handler.ts'
import { guard } from './site.ts'

Bun.serve({ hostname: '127.0.0.1', port: Number(Bun.env.PORT ?? 3000), fetch: protect(guard, handler, bunServe) })
