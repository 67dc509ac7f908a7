import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { createGuard, deny, type Guard, policy } from '@ipguard/core'
import { afterEach, expect, it } from 'vitest'
import { guardUpgrade } from '../src/index.ts'
import { listen, until } from './listen.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

const refusing = createGuard({ policies: [deny(['0.0.0.0/0'])] })
const open = createGuard({ policies: [] })

/** Accepts a WebSocket handshake (RFC 6455, section 4.2.2) and says hello in one frame of text. */
function greet(req: IncomingMessage, socket: Duplex): void {
  const accept = createHash('sha1').update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`,
  )
  socket.write(Buffer.from([0x81, 5, ...Buffer.from('hello')]))
}

/** What a WebSocket client gets from a server: its first message, or that it was refused. */
function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/`)
    client.onmessage = ({ data }) => {
      resolve(String(data))
      client.close()
    }
    client.onerror = () => resolve('refused')
  })
}

async function start(guard: Guard): Promise<{ server: Server; port: number; remove: () => void }> {
  const server = createServer()
  servers.push(server)
  const remove = guardUpgrade(server, guard)
  return { server, port: await listen(server), remove }
}

it('guards listeners that are added later, and those that were there', async () => {
  const server = createServer().on('upgrade', greet)
  servers.push(server)
  guardUpgrade(server, refusing)
  expect(await ask(await listen(server))).toBe('refused')
  const later = await start(refusing)
  later.server.on('upgrade', greet)
  expect(await ask(later.port)).toBe('refused')
})

it('lets a handshake through that the guard lets in', async () => {
  const { server, port } = await start(open)
  server.on('upgrade', greet)
  expect(await ask(port)).toBe('hello')
})

it('is taken off by the function that it answers', async () => {
  const { server, port, remove } = await start(refusing)
  server.on('upgrade', greet)
  remove()
  expect(await ask(port)).toBe('hello')
  expect(server.emit).toBe(Object.getPrototypeOf(server).emit)
})

it('is taken off also where somebody has wrapped the server after it', async () => {
  const { server, port, remove } = await start(refusing)
  server.on('upgrade', greet)
  const inner = server.emit
  server.emit = (event: string, ...args: unknown[]) => Reflect.apply(inner, server, [event, ...args])
  expect(await ask(port)).toBe('refused')
  remove()
  expect(await ask(port)).toBe('hello')
})

it('leaves requests alone', async () => {
  const { server, port } = await start(refusing)
  server.on('request', (_req, res) => res.end('plain'))
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('plain')
})

it('closes the connection when facts throw', async () => {
  const server = createServer().on('upgrade', greet)
  servers.push(server)
  guardUpgrade(server, open, {
    facts: () => {
      throw new Error('No facts.')
    },
  })
  expect(await ask(await listen(server))).toBe('refused')
})

it('tells no listener of a connection that broke while the decision was made', async () => {
  let decideNow: (value: undefined) => void = () => {}
  const slow = policy({ name: 'slow', evaluate: () => new Promise<undefined>((resolve) => (decideNow = resolve)) })
  const guard = createGuard({ policies: [slow], deadline: '20s' })
  const { server, port } = await start(guard)
  let told = 0
  let broken = false
  server.on('upgrade', () => told++)
  server.on('connection', (socket) => socket.on('close', () => (broken = true)))
  const client = connect(port, '127.0.0.1', () =>
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  )
  let decided = 0
  guard.on('decision', () => decided++)
  await until(() => decideNow.length > 0)
  client.resetAndDestroy()
  await until(() => broken)
  decideNow(undefined)
  await until(() => decided === 1)
  expect(told).toBe(0)
})

it('refuses options that it does not have', () => {
  expect(() => guardUpgrade(createServer(), open, { headers: false, other: 1 } as never)).toThrow(/no option "other"/)
})
