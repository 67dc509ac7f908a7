import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forgedHeaders, rawExchange } from '@ipguard/conformance'
import { type Nginx, startNginx } from '@ipguard/tools'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GuardOptions, ipguard, nginx } from '../src/index.ts'

type ClientIp = NonNullable<GuardOptions['clientIp']>
type Header = readonly [name: string, value: string]

const folder = mkdtempSync(join(tmpdir(), 'ipguard-express-'))
const servers: Server[] = []

/** Starts an app that says who it takes the client for; answers its port, or the path of its socket. */
async function startApp(
  clientIp: ClientIp,
  where: { readonly host: string } | { readonly path: string },
): Promise<string> {
  const app = express()
  app.use(ipguard({ clientIp, policies: [], onUnknownClient: 'evaluate', onWarning: () => {} }))
  app.get('/', (req, res) => {
    res.json(req.ipguard.decision.client?.ip ?? null)
  })
  const server = createServer(app)
  servers.push(server)
  await new Promise<void>((resolve) => {
    if ('path' in where) server.listen(where.path, resolve)
    else server.listen(0, where.host, resolve)
  })
  return 'path' in where ? where.path : String((server.address() as AddressInfo).port)
}

/** What stands in front of an app, and what it says about the client. */
const FRONTS = [
  {
    name: 'nginx that appends to X-Forwarded-For',
    forward: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    clientIp: nginx({ trust: ['127.0.0.1/32'] }),
  },
  {
    name: 'nginx that overwrites X-Forwarded-For',
    forward: 'proxy_set_header X-Forwarded-For $remote_addr;',
    clientIp: nginx({ trust: ['127.0.0.1/32'] }),
  },
  {
    name: 'nginx that sets X-Real-IP and lets the rest through',
    forward: 'proxy_set_header X-Real-IP $remote_addr;',
    clientIp: { header: 'x-real-ip', trust: ['127.0.0.1/32'] },
  },
  {
    name: 'nginx that sets Forwarded',
    forward: 'proxy_set_header Forwarded "for=$remote_addr;proto=http";',
    clientIp: { header: 'forwarded', trust: ['127.0.0.1/32'] },
  },
  {
    name: 'nginx that appends to Forwarded',
    forward: 'proxy_set_header Forwarded "$http_forwarded, for=$remote_addr";',
    clientIp: { header: 'forwarded', trust: ['127.0.0.1/32'] },
  },
  {
    name: 'nginx that appends, one hop counted',
    forward: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    clientIp: { header: 'x-forwarded-for', hops: 1, trust: ['127.0.0.1/32'] },
  },
] as const satisfies readonly { readonly name: string; readonly forward: string; readonly clientIp: ClientIp }[]

const UNIX = 'nginx that appends, over a unix-domain socket'
const NONE = 'nginx that nobody told the app of'

let proxy: Nginx
const ports = new Map<string, number>()

beforeAll(async () => {
  const fronts = [
    ...(await Promise.all(
      FRONTS.map(async ({ name, forward, clientIp }) => {
        return { name, forward, upstream: `http://127.0.0.1:${await startApp(clientIp, { host: '127.0.0.1' })}` }
      }),
    )),
    {
      name: UNIX,
      forward: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
      upstream: `http://unix:${await startApp(nginx({ trust: ['unix'] }), { path: join(folder, 'app.sock') })}:`,
    },
    {
      name: NONE,
      forward: '',
      upstream: `http://127.0.0.1:${await startApp({}, { host: '127.0.0.1' })}`,
    },
  ]
  // One nginx and one port: each front is a path, so that no second port has to be found.
  proxy = await startNginx({
    config: ({ port }) => {
      const locations = fronts.map(
        ({ upstream, forward }, i) =>
          `location = /${i} { ${forward} proxy_pass ${upstream}/; proxy_pass_request_headers on; }`,
      )
      return `server { listen 127.0.0.1:${port}; large_client_header_buffers 8 16k; ${locations.join('\n')} }`
    },
  })
  for (const [i, { name }] of fronts.entries()) ports.set(name, i)
})
afterAll(async () => {
  await proxy?.stop()
  for (const server of servers) server.close().closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})

async function clientBehind(front: string, headers: readonly Header[], from: string): Promise<unknown> {
  const target = `/${ports.get(front)}`
  const answer = await rawExchange({ host: '127.0.0.1', port: proxy.port }, { target, headers, from })
  return answer.status === 200 ? JSON.parse(answer.body) : `status ${answer.status}`
}

/** Each header alone, all together, and many lines of those that are joined. */
const FORGERIES: readonly (readonly [string, readonly Header[]])[] = [
  ['nothing', []],
  ['every header at once', forgedHeaders],
  ...forgedHeaders.map(([name, value]) => [`${name}: ${value}`, [[name, value]]] as const),
  ['fifty lines of X-Forwarded-For', Array.from({ length: 50 }, (_, i) => ['X-Forwarded-For', `6.6.6.${i}`] as const)],
  ['a long X-Forwarded-For', [['X-Forwarded-For', Array.from({ length: 500 }, () => '6.6.6.6').join(', ')]]],
  ['an X-Forwarded-For of commas', [['X-Forwarded-For', ','.repeat(1000)]]],
  ['a Forwarded with an open quote', [['Forwarded', 'for="6.6.6.6, for=127.0.0.1']]],
  ['headers that Connection names as hop-by-hop', [['Connection', 'close, X-Forwarded-For, X-Real-IP, Forwarded']]],
]

describe.each([...FRONTS.map(({ name }) => name), UNIX])('behind %s', (front) => {
  it.each(['127.0.0.9', '127.0.0.77'])('the client is %s, whatever headers it sends', async (from) => {
    for (const [what, headers] of FORGERIES)
      expect([what, await clientBehind(front, headers, from)]).toEqual([what, from])
  })
})

it('behind nginx that the app was not told of, everybody is nginx, whatever headers they send', async () => {
  for (const [what, headers] of FORGERIES)
    expect([what, await clientBehind(NONE, headers, '127.0.0.9')]).toEqual([what, '127.0.0.1'])
})

describe.each([
  ['the default dual-stack listener', '::'],
  ['a listener on IPv4', '127.0.0.1'],
])('with nothing in front, on %s', (_name, host) => {
  it.each<readonly [string, ClientIp]>([
    ['no header is configured', {}],
    ['another machine’s proxy is trusted', nginx({ trust: ['10.0.0.5/32'] })],
    ['the machine’s own proxy is trusted', nginx({ trust: ['127.0.0.1/32'] })],
  ])('the client is its socket’s address where %s', async (_what, clientIp) => {
    const port = Number(await startApp(clientIp, { host }))
    for (const [what, headers] of FORGERIES) {
      const { body } = await rawExchange({ host: '127.0.0.1', port }, { target: '/', headers, from: '127.0.0.9' })
      expect([what, JSON.parse(body)]).toEqual([what, '127.0.0.9'])
    }
  })
})
