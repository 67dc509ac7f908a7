import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { nodeServer } from '@ipguard/fetch'
import { createSite } from '../cases/site.ts'

const port = Number(process.argv[2])
serve({
  hostname: '127.0.0.1',
  port,
  fetch: createSite({ host: nodeServer, connInfo: getConnInfo }) as Parameters<typeof serve>[0]['fetch'],
})
