import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findConnections } from './connection.ts'
import { registerPeer, withPeer } from './peer.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const current = () => findConnections()?.storage.getStore()

/** What a handler sees some time after the request has come, when Next has changed what it changes. */
async function seen(req: IncomingMessage): Promise<string> {
  req.headers['x-forwarded-for'] ??= '127.0.0.1'
  await new Promise((resolve) => setImmediate(resolve))
  const connection = current()
  if (!connection) return 'nothing'
  const { peer, url, headers } = connection
  return [peer, url, headers.get('x-forwarded-for'), headers.get('x-b')].join(' ')
}

function ask(port: number, options: { readonly from: string; readonly path: string; readonly headers: string[] }) {
  const { from, path, headers } = options
  return new Promise<string>((resolve, reject) => {
    const req = request({ port, host: '127.0.0.1', localAddress: from, path, headers, agent: false }, (res) => {
      let text = ''
      res.on('data', (chunk) => (text += String(chunk))).on('end', () => resolve(text))
    })
    req.on('error', reject).end()
  })
}

/** The handler's answer to a WebSocket handshake. */
function handshake(port: number, from: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    let text = ''
    socket
      .on('data', (chunk) => (text += String(chunk)))
      .on('end', () => resolve(text))
      .on('error', reject)
    socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nX-B: 3\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
}

describe('before either is called', () => {
  it('nothing is known', async () => {
    const port = await listen(createServer((req, res) => void seen(req).then((text) => res.end(text))))
    expect(findConnections()).toBeUndefined()
    expect(await ask(port, { from: '127.0.0.8', path: '/', headers: ['Host', 'a'] })).toBe('nothing')
  })
})

describe('withPeer', () => {
  it('tells the connection and the headers as they came, to each request its own', async () => {
    const port = await listen(createServer(withPeer((req, res) => void seen(req).then((text) => res.end(text)))))
    const asked = [8, 9, 10].map((n) =>
      ask(port, { from: `127.0.0.${n}`, path: `/${n}?q`, headers: ['Host', 'a', 'X-B', `${n}`, 'x-b', '2'] }),
    )
    expect(await Promise.all(asked)).toEqual([
      '127.0.0.8 /8?q  8, 2',
      '127.0.0.9 /9?q  9, 2',
      '127.0.0.10 /10?q  10, 2',
    ])
  })

  it('answers what the listener answers, and serves upgrade listeners too', async () => {
    expect(withPeer(() => 7)({ socket: {} } as never)).toBe(7)
    const server = createServer()
    server.on(
      'upgrade',
      withPeer((req, socket: Duplex) => void seen(req).then((text) => socket.end(text))),
    )
    expect(await handshake(await listen(server), '127.0.0.8')).toBe('127.0.0.8 /ws  3')
  })

  it('is nothing outside of its listener', async () => {
    const plain = await listen(createServer((req, res) => void seen(req).then((text) => res.end(text))))
    expect(await ask(plain, { from: '127.0.0.8', path: '/', headers: ['Host', 'a'] })).toBe('nothing')
  })
})

describe('registerPeer', () => {
  beforeEach(() => {
    delete process.env.NEXT_RUNTIME
  })

  it('does nothing in the edge runtime', async () => {
    process.env.NEXT_RUNTIME = 'edge'
    registerPeer()
    const port = await listen(createServer((req, res) => void seen(req).then((text) => res.end(text))))
    expect(await ask(port, { from: '127.0.0.8', path: '/', headers: ['Host', 'a'] })).toBe('nothing')
  })

  it('tells the connection to every server of the process, to each request its own', async () => {
    registerPeer()
    registerPeer()
    const port = await listen(createServer((req, res) => void seen(req).then((text) => res.end(text))))
    const asked = [8, 9, 10].map((n) =>
      ask(port, { from: `127.0.0.${n}`, path: `/${n}?q`, headers: ['Host', 'a', 'X-B', `${n}`, 'x-b', '2'] }),
    )
    expect(await Promise.all(asked)).toEqual([
      '127.0.0.8 /8?q  8, 2',
      '127.0.0.9 /9?q  9, 2',
      '127.0.0.10 /10?q  10, 2',
    ])
  })

  it('tells pipelined requests of one connection apart', async () => {
    registerPeer()
    const port = await listen(createServer((req, res) => void seen(req).then((text) => res.end(`[${text}]`))))
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' })
      let all = ''
      socket
        .on('data', (chunk) => (all += String(chunk)))
        .on('end', () => resolve(all))
        .on('error', reject)
      const get = (path: string, more: string) =>
        `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${path}\r\n${more}\r\n`
      socket.write(get('/1', '') + get('/2', '') + get('/3', 'Connection: close\r\n'))
    })
    expect(text.match(/\[.*\]/g)).toEqual(['[127.0.0.1 /1 /1 ]', '[127.0.0.1 /2 /2 ]', '[127.0.0.1 /3 /3 ]'])
  })

  it('tells WebSocket handshakes too, the first that a server gets', async () => {
    registerPeer()
    const server = createServer()
    server.on('upgrade', (req, socket: Duplex) => void seen(req).then((text) => socket.end(text)))
    const port = await listen(server)
    expect(await handshake(port, '127.0.0.8')).toBe('127.0.0.8 /ws  3')
    expect(await handshake(port, '127.0.0.9')).toBe('127.0.0.9 /ws  3')
  })
})

it('lets no header name the client where it may have pushed one out of what Node keeps', () => {
  // A request as Node 20 gives it: later releases refuse it themselves.
  const request = {
    headersDistinct: { 'x-b': ['1'], 'x-forwarded-for': ['9.9.9.9'] },
    rawHeaders: ['X-B', '1', 'X-Forwarded-For', '9.9.9.9'],
    socket: { remoteAddress: '127.0.0.8', server: { maxHeadersCount: 2 } },
  }
  const read = withPeer(() => current()?.headers)
  expect(read(request as unknown as IncomingMessage)).toMatchObject({ incomplete: true })
})
