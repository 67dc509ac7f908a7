import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createGuard, deny, nginx, onPaths, rateLimit } from '@ipguard/core'
import { fileSnapshot, guardRequest, guardUpgrade, warnProcess } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'

/** Where bans survive a restart. */
const { SNAPSHOT } = process.env

const guard = createGuard({
  store: memoryStore(SNAPSHOT === undefined ? {} : { snapshot: fileSnapshot(SNAPSHOT, { every: '100ms' }) }),
  clientIp: nginx({ trust: ['127.0.0.1/32'] }), // nginx on this machine; whoever else sends X-Forwarded-For is not believed
  onWarning: warnProcess,
  policies: [
    deny(['198.51.100.0/24', '2001:db8:bad::/48']),
    deny(['0.0.0.0/0', '::/0'], {
      name: 'private',
      except: ['203.0.113.0/28'],
      when: onPaths('/internal', '/internal/*'),
    }),
    rateLimit({ limit: 20, window: '1m', ladder: [{ name: 'graylist', ban: '1h' }] }),
  ],
})

const server = createServer((req, res) => {
  answer(req, res).catch((error: unknown) => {
    console.error(error)
    res.writeHead(500).end()
  })
})

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { refusal, handle } = await guardRequest(guard, req, res)
  if (refusal) return // it has been sent
  const { client } = handle.decision
  res.end(req.url === '/internal' ? 'Only for us.\n' : `Welcome, ${client?.ip}.\n`)
}

// Handshakes, as of WebSockets, are no requests to `createServer`; they meet the guard and count all the same.
guardUpgrade(server, guard)
server.on('upgrade', (_req, socket) => {
  socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: hello\r\n\r\nWelcome.\n')
})

const port = Number(process.env.PORT ?? 3000)
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`))
