import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server'
import { rawExchange } from '@ipguard/conformance'
import { Hono } from 'hono'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { deny, ipguard, type Policy, rateLimit } from '../src/index.ts'

const HANDSHAKE = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const

/** An app that echoes over WebSockets, with the adapter in front, as node-server's documentation has it. */
async function serve(policies: readonly Policy[]): Promise<{ readonly port: number; readonly opened: () => number }> {
  let opened = 0
  const app = new Hono().use(ipguard({ policies }))
  app.get(
    '/ws',
    upgradeWebSocket(() => ({
      onOpen: () => void opened++,
      onMessage: ({ data }, ws) => ws.send(`echo ${typeof data === 'string' ? data : 'bytes'}`),
    })),
  )
  const server = createAdaptorServer({
    fetch: app.fetch,
    websocket: { server: new WebSocketServer({ noServer: true }) as never }, // its types want another `off`
  }) as Server // without options it is one of node:http
  onTestFinished(() => server.close().closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, opened: () => opened }
}

it('lets a handshake through, and messages with it', async () => {
  const { port, opened } = await serve([rateLimit({ limit: 9, window: '1h' })])
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  const answer = await new Promise((resolve, reject) => {
    socket.onopen = () => socket.send('hello')
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = reject
  })
  socket.close()
  expect([answer, opened()]).toEqual(['echo hello', 1])
})

it('answers a refused handshake with the refusal, and no socket opens', async () => {
  const { port, opened } = await serve([deny(['127.0.0.0/8'])])
  const target = { host: '127.0.0.1', port }
  const { status, headers } = await rawExchange(target, { target: '/ws', headers: HANDSHAKE })
  expect([status, headers['cache-control'], opened()]).toEqual([403, 'no-store', 0])
})
