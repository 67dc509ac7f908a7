import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NextApiRequest, NextApiResponse } from 'next'
import { afterEach, expect, it, vi } from 'vitest'
import { createGuard, deny, ipguard, memoryStore, rateLimit } from './index.ts'
import { guardApi } from './pages.ts'
import { withPeer } from './peer.ts'

type Api = (request: NextApiRequest, response: NextApiResponse) => Promise<void>

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** Serves an API route as Next does: the request and response of node:http, with an x-forwarded-for of Next's own where there was none. */
async function serve(api: Api, around: typeof withPeer = (listener) => listener): Promise<string> {
  const listener = (req: IncomingMessage, res: ServerResponse): void => {
    req.headers['x-forwarded-for'] ??= '203.0.113.7'
    api(req as NextApiRequest, res as NextApiResponse).catch(() => res.writeHead(500).end())
  }
  const server = createServer(around(listener))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/hello`
}

const clientIp = { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] } as const
const denied = deny(['203.0.113.0/24'])

it.each([
  ['by itself', undefined],
  ['behind withPeer', withPeer],
])('refuses or lets in by the connection, and headers as they came: %s', async (_name, around) => {
  const handler = vi.fn((_request, response, { decision }) => response.end(decision.client.ip))
  const api = guardApi({ clientIp, policies: [denied, rateLimit({ limit: 9, window: '60s' })] }, handler)
  const url = await serve(api, around)
  const plain = await fetch(url)
  expect([plain.status, await plain.text(), plain.headers.get('ratelimit-policy')]).toEqual([
    200,
    '127.0.0.1',
    '"9-in-60s";q=9;w=60',
  ])
  const refused = await fetch(url, { headers: { 'X-Forwarded-For': '203.0.113.7' } })
  expect([refused.status, refused.headers.get('content-type')]).toEqual([
    403,
    'application/problem+json; charset=utf-8',
  ])
  expect(handler).toHaveBeenCalledOnce()
})

it('tells the policies facts, and leaves the headers out where asked to', async () => {
  const guard = createGuard<string | undefined>({
    store: memoryStore(),
    policies: [
      deny(['127.0.0.1/32'], { when: (_request, _client, facts) => facts === 'bad' }),
      rateLimit({ limit: 9, window: '60s' }),
    ],
  })
  const facts = (request: NextApiRequest): string | undefined => request.headers['x-who']?.toString()
  const url = await serve(guardApi(guard, (_request, response) => response.end(), { facts, headers: false }))
  const [bad, good] = [await fetch(url, { headers: { 'X-Who': 'bad' } }), await fetch(url)]
  expect([bad.status, good.status, good.headers.has('ratelimit')]).toEqual([403, 200, false])
})

it('counts a request once that the proxy has asked the guard about', async () => {
  const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 9, window: '60s' })] })
  const proxied =
    (api: Api): Api =>
    async (request, response) => {
      await ipguard(guard)(new Request(`http://localhost${request.url}`))
      await api(request, response)
    }
  const api = guardApi(guard, (_request, response, { decision }) => response.end(`${decision.limits?.[0]?.remaining}`))
  // The proxy needs withPeer: `ipguard` throws before.
  const url = await serve((request, response) => proxied(api)(request, response), withPeer)
  expect([await (await fetch(url)).text(), await (await fetch(url)).text()]).toEqual(['8', '7'])
})

it.each([
  [{ fact: () => 1 }, 'IPGUARD_OPTION_UNKNOWN'],
  [{ headers: 1 }, 'IPGUARD_OPTION_INVALID'],
])('refuses the adapter options %j', (options, code) => {
  expect(() => guardApi({ policies: [] }, () => {}, options as never)).toThrow(expect.objectContaining({ code }))
})
