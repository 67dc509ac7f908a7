import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startCaddy } from './start-caddy.ts'
import { startHaproxy } from './start-haproxy.ts'

/** The first run may have to fetch a program. */
const FETCH = { timeout: 300_000 }

let origin: Server
let app = 0
beforeAll(async () => {
  origin = createServer((request, response) => response.end(String(request.headers['x-forwarded-for'])))
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  app = (origin.address() as AddressInfo).port
})
afterAll(() => origin.close().closeAllConnections())

const haproxy = (port: number): string =>
  `listen app\n  bind 127.0.0.1:${port}\n  option forwardfor\n  server app 127.0.0.1:${app}`
const caddy = (port: number): string => `http://127.0.0.1:${port} {\n\treverse_proxy 127.0.0.1:${app}\n}`

describe.each([
  ['startHaproxy', startHaproxy, haproxy, '203.0.113.7, 127.0.0.1', /unknown keyword 'nonsense'/],
  ['startCaddy', startCaddy, caddy, '127.0.0.1', /nonsense/],
])('%s', FETCH, (_name, start, config, seen, words) => {
  it('proxies a request to an application and ends with its process', async () => {
    const proxy = await start({ config: ({ port }) => config(port) })
    onTestFinished(proxy.stop)
    const response = await fetch(proxy.url, { headers: { 'x-forwarded-for': '203.0.113.7' } })
    expect(await response.text()).toBe(seen)
    await proxy.stop()
    expect(() => process.kill(proxy.pid, 0)).toThrow('ESRCH')
  })

  it('says what is wrong with a configuration', async () => {
    await expect(
      start({ config: ({ port }) => config(port).replace('  ', '  nonsense\n  ').replace('\t', '\tnonsense\n\t') }),
    ).rejects.toThrow(words)
  })
})
