import { serve } from '@hono/node-server'
import { nodeServer, protect } from '@ipguard/fetch'
import { handler } from './handler.ts'
import { guard } from './site.ts'

serve({ hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000), fetch: protect(guard, handler, nodeServer) })
