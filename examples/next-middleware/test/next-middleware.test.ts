import type { RunningProcess } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask } from '../../next/test/ask.ts'
import { startExample } from '../../next/test/start-example.ts'

const PROXY = '127.0.0.5'
let server: RunningProcess

beforeAll(async () => {
  server = await startExample('next-middleware')
}, 300_000)
afterAll(() => server?.stop())

it('lets a page be seen, with the limit', async () => {
  const { status, headers, body } = await ask(server.port, '127.0.0.8', '/')
  expect([status, headers.ratelimit]).toEqual([200, expect.stringMatching(/^"60-in-60s";r=59;/)])
  expect(body).toContain('<h1>Welcome</h1>')
})

it.each([
  ['the proxy names a denied client', PROXY, '198.51.100.7', 403],
  ['the proxy names another behind a forged one', PROXY, '198.51.100.7, 192.0.2.60', 200],
  ['a client names a denied one', '127.0.0.8', '198.51.100.7', 200],
])('%s', async (_name, peer, forwarded, status) => {
  const headers = { 'X-Forwarded-For': forwarded }
  expect((await ask(server.port, peer, '/', { headers })).status).toBe(status)
})

it('counts by the client that the proxy names', async () => {
  const left = async (client: string): Promise<string | undefined> => {
    const { headers } = await ask(server.port, PROXY, '/', { headers: { 'X-Forwarded-For': client } })
    return /r=(\d+)/.exec(String(headers.ratelimit))?.[1]
  }
  expect([await left('192.0.2.1'), await left('192.0.2.1'), await left('192.0.2.2')]).toEqual(['59', '58', '59'])
})

it('refuses a page on a page for people, and what claims to be Next itself', async () => {
  const headers = { 'X-Forwarded-For': '198.51.100.7', Accept: 'text/html' }
  const { body } = await ask(server.port, PROXY, '/', { headers })
  expect(body).toContain('<h1>Access denied</h1>')
  const forged = { 'x-middleware-subrequest': 'middleware:middleware:middleware:middleware:middleware' }
  expect((await ask(server.port, '127.0.0.8', '/', { headers: forged })).status).toBe(403)
})
