import { once } from 'node:events'
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createGuard, deny, onPaths } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { http2Client, http2Server, http2Suite } from '@ipguard/tools/adapters'
import { expect, onTestFinished, test } from 'vitest'
import { guardRequest } from '../src/index.ts'
import { startNode } from './start-node.ts'

http2Suite({ test, expect, start: (setup) => startNode(setup, http2Server) })

test('a server of node:http2 is guarded as its types are, tunnels by extended CONNECT too', async () => {
  const everybody = deny(['0.0.0.0/0', '::/0'], { when: onPaths('/admin') })
  const guard = createGuard({ policies: [everybody], store: memoryStore() })
  const answerWith =
    (text: string) =>
    async (req: Http2ServerRequest, res: Http2ServerResponse): Promise<void> => {
      const { refusal } = await guardRequest(guard, req, res)
      if (!refusal) res.end(text)
    }
  const server = createServer(
    { settings: { enableConnectProtocol: true } },
    (req, res) => void answerWith('page')(req, res),
  )
  server.on('connect', (req: Http2ServerRequest, res: Http2ServerResponse) => void answerWith('tunnel')(req, res))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { ask, session } = http2Client((server.address() as AddressInfo).port)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  await once(session, 'remoteSettings')
  const connect = { ':method': 'CONNECT', ':protocol': 'websocket', ':authority': 'localhost', ':scheme': 'http' }
  const answers = [
    await ask({ ':path': '/chat' }),
    await ask({ ':path': '/admin' }),
    await ask({ ...connect, ':path': '/chat' }),
    await ask({ ...connect, ':path': '/admin' }),
  ].map((answer) => [answer?.status, answer?.body.slice(0, 6)])
  expect(answers).toEqual([
    [200, 'page'],
    [403, '{"type'],
    [200, 'tunnel'],
    [403, '{"type'],
  ])
})
