import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rawExchange } from '@ipguard/conformance'
import { startNginx } from '@ipguard/tools'
import { findProxies, forgeries } from '@ipguard/tools/proxies'
import express from 'express'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ipguard, nginx } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'ipguard-express-'))
const path = join(folder, 'app.sock')
const clientIp = nginx({ trust: ['unix'] })
const app = express()
app.use(ipguard({ clientIp, policies: [], onUnknownClient: 'evaluate', onWarning: () => {} }))
app.get('/', (req, res) => {
  res.json(req.ipguard.decision.client?.ip ?? null)
})
const server = createServer(app)

let port: number
let stop: () => Promise<void>

beforeAll(async () => {
  findProxies()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const proxy = await startNginx({
    config: (place) => `server {
      listen 127.0.0.1:${place.port};
      listen [::1]:${place.port};
      large_client_header_buffers 8 16k;
      location / {
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_pass http://unix:${path}:/;
      }
    }`,
  })
  port = proxy.port
  stop = proxy.stop
}, 300_000)
afterAll(async () => {
  await stop?.()
  server.close().closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})

it.each(['127.0.0.9', '127.0.0.77', '::1'])(
  'behind nginx that appends, over a unix-domain socket, the client is %s, whatever headers it sends',
  async (from) => {
    for (const { what, headers, refusable } of forgeries) {
      const target = { host: from === '::1' ? '::1' : '127.0.0.1', port }
      const { status, body } = await rawExchange(target, { target: '/', headers, from })
      // The application answers a text or null.
      const client = status === 200 ? (JSON.parse(body) as string | null) : `status ${status}`
      const safe = refusable && (client === null || client.startsWith('status 4'))
      expect([what, safe ? from : client]).toEqual([what, from])
    }
  },
)
