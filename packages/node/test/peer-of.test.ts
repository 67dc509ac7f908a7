import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, get, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { peerOf } from '../src/index.ts'
import { listen, until } from './listen.ts'

const folder = mkdtempSync(join(tmpdir(), 'ipguard-peer-'))
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function serve(onRequest: Parameters<typeof createServer>[1]): Server {
  const server = createServer(onRequest)
  servers.push(server)
  return server
}

it('is the address of the connection', async () => {
  const server = serve((req, res) => res.end(peerOf(req)))
  const port = await listen(server)
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('127.0.0.1')
})

it('is "unix" for a server on a unix-domain socket, also while that is closing', async () => {
  const path = join(folder, 'socket')
  const server = serve((req, res) => {
    const before = peerOf(req)
    server.close()
    res.end(`${before} ${peerOf(req)}`)
  })
  await listen(server, path)
  const text = await new Promise((resolve) => {
    get({ socketPath: path, agent: false }, (res) => res.on('data', (data) => resolve(String(data))))
  })
  expect(text).toBe('unix unix')
})

it('is not known for a connection that was gone before it was asked for', async () => {
  let peer: string | undefined = 'not asked'
  let asked = false
  const server = serve((req) => {
    void until(() => req.socket.destroyed).then(() => {
      peer = peerOf(req)
      asked = true
    })
  })
  const client = connect(await listen(server), '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
  server.once('request', () => client.resetAndDestroy())
  await until(() => asked)
  expect(peer).toBeUndefined()
})
