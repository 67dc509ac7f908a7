import { once } from 'node:events'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import middie from '@fastify/middie'
import websocket from '@fastify/websocket'
import { fastify } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deny, ipguard, onPaths, policy } from '../src/index.ts'
import { serve } from './serve.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']
const HANDSHAKE = {
  target: '/socket',
  headers: [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ],
  early: '\n',
} as const

describe('with @fastify/websocket', () => {
  const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })

  it.each([
    ['at once', deny(EVERYBODY)],
    ['later', late],
  ])('a handshake that is refused %s is answered, and its handler hears nothing', async (_when, refusing) => {
    let opened = 0
    const app = fastify()
    await app.register(websocket)
    await app.register(ipguard, { policies: [refusing] })
    app.get('/socket', { websocket: true }, () => void opened++)
    const { status, headers, body } = await (await serve(app))(HANDSHAKE)
    expect([status, headers['content-type'], JSON.parse(body).status, opened]).toEqual([
      403,
      'application/problem+json; charset=utf-8',
      403,
      0,
    ])
  })

  it('one that is let in reaches its handler, with the decision', async () => {
    const app = fastify()
    await app.register(websocket)
    await app.register(ipguard, { policies: [] })
    app.get('/socket', { websocket: true }, (socket, request) => {
      socket.send(request.ipguard.decision.client?.ip ?? 'nobody')
      socket.close()
    })
    await serve(app)
    const client = new WebSocket(`ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/socket`)
    const said = await new Promise((resolve, reject) => {
      client.addEventListener('message', ({ data }) => resolve(data))
      client.addEventListener('error', reject)
    })
    expect(said).toBe('127.0.0.1')
  })
})

it('meets handshakes that a test injects, if they have a connection', async () => {
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(websocket)
  await app.register(ipguard, { policies: [deny(['203.0.113.7'])] })
  app.get('/socket', { websocket: true }, (socket) => socket.send('hello'))
  await app.ready()
  const from = (remoteAddress: string): object => ({ socket: { remoteAddress }, rawHeaders: [] })
  const client = await app.injectWS('/socket', from('127.0.0.1'))
  client.terminate()
  await expect(app.injectWS('/socket', from('203.0.113.7'))).rejects.toThrow('403')
})

it('sees the whole path behind middleware that @fastify/middie runs under a prefix', async () => {
  const seen: unknown[] = []
  const app = fastify()
  await app.register(middie)
  app.use('/mounted', (req, _res, next) => {
    seen.push(req.url)
    next()
  })
  await app.register(ipguard, { policies: [deny(EVERYBODY, { when: onPaths('/mounted/inner') })] })
  app.get('/mounted/inner', () => 'inner').get('/mounted/other', () => 'other')
  const send = await serve(app)
  expect([(await send('/mounted/inner')).status, (await send('/mounted/other')).body, seen]).toEqual([
    403,
    'other',
    ['/inner', '/other'],
  ])
})

it('answers requests that are injected', async () => {
  const app = fastify()
  await app.register(ipguard, { policies: [deny(['203.0.113.7'])] })
  app.get('/', (request) => request.ipguard.decision.client?.ip)
  expect((await app.inject('/')).body).toBe('127.0.0.1')
  expect((await app.inject({ url: '/', remoteAddress: '203.0.113.7' })).statusCode).toBe(403)
})

it('guards HTTP/2', async () => {
  const app = fastify({ http2: true })
  onTestFinished(() => app.close())
  await app.register(ipguard, { policies: [deny(EVERYBODY, { when: onPaths('/admin') })] })
  app.get('/admin', () => 'admin').get('/', (request) => request.ipguard.decision.client?.ip)
  const session = connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  const ask = async (path: string): Promise<readonly [unknown, string]> => {
    const stream = session.request({ ':path': path }).setEncoding('utf8')
    const [headers] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream) body += chunk
    return [headers[':status'], body]
  }
  expect([await ask('/'), (await ask('/ADMIN/../admin'))[0]]).toEqual([[200, '127.0.0.1'], 403])
  session.close()
})
