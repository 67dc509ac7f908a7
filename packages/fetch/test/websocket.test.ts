import { fileURLToPath } from 'node:url'
import { rawExchange } from '@ipguard/conformance'
import { freePort, type RunningProcess, startProcess } from '@ipguard/tools'
import { findRuntime } from '@ipguard/tools/runtimes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const SOURCES = '--conditions=@ipguard/source'
const HANDSHAKE = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const

describe.each([
  ['bun', [SOURCES]],
  ['deno', ['run', '--no-check', '--allow-net', '--allow-env', '--allow-read', SOURCES]],
] as const)('on %s', (name, args) => {
  let server: RunningProcess
  let port = 0

  // The first run on a machine installs the runtime.
  beforeAll(async () => {
    port = await freePort()
    const file = fileURLToPath(new URL(`${name}-socket.child.ts`, import.meta.url))
    const { path } = await findRuntime(name)
    server = await startProcess({ command: path, args: [...args, file], env: { PORT: String(port) }, port })
  }, 180_000)
  afterAll(() => server?.stop())

  it('a handshake that is let in opens a socket', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const answer = await new Promise((resolve, reject) => {
      socket.onopen = () => socket.send('hello')
      socket.onmessage = ({ data }) => resolve(data)
      socket.onerror = reject
    })
    socket.close()
    expect(answer).toBe('echo hello')
  })

  it('a refused one is answered with the refusal', async () => {
    const headers = [...HANDSHAKE, ['X-Forwarded-For', '198.51.100.7'] as const]
    const answer = await rawExchange({ host: '127.0.0.1', port }, { target: '/', headers })
    expect([answer.status, JSON.parse(answer.body)]).toEqual([403, expect.objectContaining({ reason: 'denied' })])
  })

  it('what is no handshake gets the answer of the handler, with the limit', async () => {
    const { status, headers } = await rawExchange({ host: '127.0.0.1', port }, { target: '/' })
    expect([status, headers['ratelimit-policy']]).toEqual([426, '"99-in-60s";q=99;w=60'])
  })
})
