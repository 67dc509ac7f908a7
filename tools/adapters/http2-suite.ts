import type { AdapterServer, AdapterSetup, RouteInput } from '@ipguard/conformance'
import {
  createGuard,
  type Decision,
  deny,
  exceptPaths,
  type Guard,
  type GuardOptions,
  onPaths,
  type Policy,
  policy,
  rateLimit,
} from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { type Http2Client, http2Client } from './http2-client.ts'
import { askForBytes } from './http2-raw.ts'

export interface Http2SuiteOptions {
  readonly test: (name: string, run: () => Promise<void>) => unknown
  readonly expect: (actual: unknown) => { toEqual(expected: unknown): unknown }
  /** That of `adapterSuite`, on a server of HTTP/2 without TLS. */
  readonly start: (setup: AdapterSetup) => Promise<AdapterServer>
  /** Why the framework answers no HEAD over HTTP/2, guarded or not. */
  readonly withoutHead?: string
}

const EVERYBODY = ['0.0.0.0/0', '::/0']
const ANN = '203.0.113.9'
const BOB = '203.0.113.10'
const BEHIND_PROXY = { header: 'x-forwarded-for', trust: ['loopback'] } as const

/** Paths that some router takes for `/admin`, as far as HTTP/2 can carry them. */
const ADMIN: readonly string[] = [
  '/admin',
  '/ADMIN',
  '/admin/',
  '//admin',
  '//localhost/admin',
  '/%61dmin',
  '/./admin',
  '/x/%2e%2e/admin',
  '/public/..%2fadmin',
  '/public/../admin',
  '/admin%A0',
  '/admin%a0/',
  '/admin%C2%A0',
  '/admin%00',
  '/admin%20',
  '/admin%zz',
  '/admin;x',
  '/admin?x=/public',
  '/admin#/public',
  '/public#/../admin',
  '/\\admin',
  'admin',
  '*',
  'http://localhost/admin',
]

/** The like, in bytes that are no UTF-8. */
const BYTES: readonly string[] = ['/admin\u00a0', '/\u00a0admin', '/admin\u0085', '/%61dmin\u00a0', '/admin\u00ff']

/** What a client of HTTP/2 can say of the host, some of which make another path of a URL that is put together. */
const AUTHORITIES: readonly Readonly<Record<string, string>>[] = [
  {},
  { ':authority': 'localhost' },
  { ':authority': 'localhost:99999' },
  { ':authority': 'u:p@localhost' },
  { ':authority': '[::1' },
  { ':authority': '%' },
  { ':authority': 'localhost/public?' },
  { ':authority': 'localhost', host: 'localhost/public?' },
  { host: 'localhost' },
  { host: 'localhost\\public?' },
  { host: 'localhost/public#' },
  { ':scheme': 'ftp' },
]

/**
 * An adapter on the compatibility API of `node:http2`, asked by a client of HTTP/2: what `adapterSuite` says over HTTP/1.1, as far as HTTP/2
 * is another thing.
 *
 * @example
 * http2Suite({ test, expect, start: startKoa(Koa, http2Server) })
 */
export function http2Suite({ test, expect, start, withoutHead }: Http2SuiteOptions): void {
  test('over HTTP/2, who is let in is answered with RateLimit headers, until the limit', () =>
    scene({ policies: [rateLimit({ limit: 2, window: '1h' })] }, async ({ client, decisions }) => {
      const answers = [await hello(client), await hello(client), await hello(client)]
      expect(answers.map((answer) => [answer?.status, answer?.headers.ratelimit?.toString().split(';')[1]])).toEqual([
        [200, 'r=1'],
        [200, 'r=0'],
        [429, 'r=0'],
      ])
      expect(answers.map((answer) => answer?.body.slice(0, 5))).toEqual(['/hell', '/hell', '{"typ'])
      expect(decisions.map((decision) => decision.client?.ip)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
    }))

  const methods = withoutHead === undefined ? ['GET', 'HEAD', 'POST'] : ['GET', 'POST']
  const unless = withoutHead === undefined ? '' : ` (not HEAD: ${withoutHead})`
  test(`over HTTP/2, a refusal is what reply() says${unless}`, () =>
    scene({ policies: [deny(EVERYBODY)] }, async ({ client, guard, decisions }) => {
      for (const method of methods) {
        const answer = await client.ask({ ':path': '/hello', ':method': method, accept: 'text/html' })
        const headers = { get: (name: string) => (name === 'accept' ? 'text/html' : undefined) }
        const [reply] = decisions.slice(-1).map((decision) => guard.reply(decision, { method, url: '/hello', headers }))
        const told = Object.keys(reply?.headers ?? {}).map((name) => [name, answer?.headers[name.toLowerCase()]])
        expect([answer?.status, Object.fromEntries(told), answer?.body]).toEqual([403, reply?.headers, reply?.body])
      }
    }))

  test('over HTTP/2, no spelling reaches a handler behind a denial of its path', () =>
    paths(
      ADMIN.map((path) => ({ ':path': path })),
      BYTES,
    ))

  test('over HTTP/2, no authority and no host reaches a handler behind a denial of its path', () =>
    paths(AUTHORITIES.map((headers) => ({ ':path': '/admin', ...headers }))))

  test('over HTTP/2, no method in small letters reaches a handler behind a denial of its path', () =>
    paths(['get', 'Get', 'options', 'head'].map((method) => ({ ':path': '/admin', ':method': method }))))

  test('over HTTP/2, a rule about a method holds for it in small letters', () =>
    scene({ policies: [deny(EVERYBODY, { when: ({ method }) => method === 'GET' })] }, async ({ client, reached }) => {
      for (const method of ['GET', 'get', 'Get']) await client.ask({ ':path': '/hello', ':method': method })
      expect(reached).toEqual([])
    }))

  test('over HTTP/2, a forwarded header names the client behind a trusted proxy only', async () => {
    const forged = { 'x-forwarded-for': ['6.6.6.6', ANN], 'x-real-ip': '6.6.6.6', forwarded: 'for=6.6.6.6' }
    for (const [trust, wanted] of [
      [['loopback'], ANN],
      [['10.0.0.5'], '127.0.0.1'],
    ] as const) {
      await scene({ clientIp: { ...BEHIND_PROXY, trust } }, async ({ client, decisions }) => {
        await client.ask({ ':path': '/hello', ...forged })
        expect(decisions.map((decision) => decision.client?.ip)).toEqual([wanted])
      })
    }
  })

  test('over HTTP/2, streams of one connection are judged each on its own, also at one time', () =>
    scene({ policies: [late(), deny([BOB])], clientIp: BEHIND_PROXY }, async ({ client }) => {
      const clients = [ANN, BOB, ANN, BOB]
      const answers = await Promise.all(clients.map((ip) => client.ask({ ':path': '/hello', 'x-forwarded-for': ip })))
      expect(answers.map((answer) => answer?.status)).toEqual([200, 403, 200, 403])
    }))

  test('over HTTP/2, a handler strikes, and the ladder bans its client alone', () => {
    const policies = [rateLimit({ name: 'failures', ladder: [{ name: 'out', ban: '1h' }] })]
    return scene({ policies, clientIp: BEHIND_PROXY }, async ({ client }) => {
      const as = (ip: string, path: string, method: string): ReturnType<Http2Client['ask']> =>
        client.ask({ ':path': path, ':method': method, 'x-forwarded-for': ip })
      expect((await as(BOB, '/strike', 'POST'))?.body).toEqual('ban')
      expect([(await as(ANN, '/hello', 'GET'))?.status, (await as(BOB, '/hello', 'GET'))?.status]).toEqual([200, 403])
    })
  })

  test('over HTTP/2, a body is read while the decision takes time', () =>
    scene({ policies: [late()] }, async ({ client }) => {
      const body = 'body '.repeat(40_000)
      const answer = await client.ask({ ':path': '/echo', ':method': 'POST', 'content-type': 'text/plain' }, body)
      expect([answer?.status, answer?.body === body]).toEqual([200, true])
    }))

  test('over HTTP/2, a stream that its client takes back while it is decided on harms nobody', async () => {
    for (const action of ['deny', 'allow'] as const) {
      let asked = (): void => {}
      const isAsked = new Promise<void>((resolve) => {
        asked = resolve
      })
      let release = (): void => {}
      const isReleased = new Promise<void>((resolve) => {
        release = resolve
      })
      const held = policy({
        name: 'held',
        async evaluate({ request }) {
          if (!request.headers.get('x-held')) return undefined
          asked()
          await isReleased
          return { action }
        },
      })
      await scene({ policies: [held, rateLimit({ limit: 9, window: '1h' })] }, async ({ client }) => {
        const stream = client.session.request({ ':path': '/hello', 'x-held': '1' })
        stream.on('error', () => {})
        await isAsked
        stream.close(8) // CANCEL
        // An answer to a later stream: the server has heard of the cancellation before.
        expect((await hello(client))?.status).toEqual(200)
        release()
        expect([(await hello(client))?.status, (await hello(client))?.status]).toEqual([200, 200])
      })
    }
  })

  /** Behind a denial of `/admin`, and behind one of all but `/public`: no handler of `/admin` is reached. */
  async function paths(
    requests: readonly Readonly<Record<string, string>>[],
    more: readonly string[] = [],
  ): Promise<void> {
    for (const when of [onPaths('/admin'), exceptPaths('/public', '/public/*')]) {
      await scene({ policies: [deny(EVERYBODY, { when })] }, async ({ client, port, reached }) => {
        await askForBytes(port, Buffer.from('/public'))
        expect(reached).toEqual(['/public'])
        for (const request of requests) {
          await client.ask(request)
          expect([request, reached.includes('/admin')]).toEqual([request, false])
        }
        for (const path of more) {
          await askForBytes(port, Buffer.from(path, 'latin1'))
          expect([path, reached.includes('/admin')]).toEqual([path, false])
        }
        expect((await client.ask({ ':path': '/public' }))?.status).toEqual(200)
      })
    }
  }

  async function scene(options: Partial<GuardOptions>, run: (scene: Scene) => Promise<void>): Promise<void> {
    const guard = createGuard({ policies: [], ...options, store: memoryStore(), onWarning: () => {} })
    const decisions: Decision[] = []
    guard.on('decision', (decision) => void decisions.push(decision))
    const reached: string[] = []
    const server = await start({
      host: '127.0.0.1',
      mounts: [{ path: '/', guard }],
      routes: ROUTES.map(([method, path, answer]) => ({
        method,
        path,
        async answer(input) {
          reached.push(path)
          return { status: 200, headers: { 'content-type': 'text/plain' }, chunks: [await answer(input)] }
        },
      })),
    })
    const client = http2Client(server.port)
    try {
      await run({ client, port: server.port, guard, decisions, reached })
    } finally {
      client.session.destroy()
      await server.close()
      await guard.close()
    }
  }
}

interface Scene {
  readonly client: Http2Client
  readonly port: number
  readonly guard: Guard
  readonly decisions: readonly Decision[]
  /** The routes whose handlers have run. */
  readonly reached: readonly string[]
}

const ROUTES: readonly (readonly ['GET' | 'POST', string, (input: RouteInput) => Promise<string>])[] = [
  ...['/hello', '/admin', '/public'].map((path) => ['GET', path, async () => path] as const),
  ['POST', '/hello', async () => '/hello'],
  ['POST', '/echo', ({ readBody }) => readBody()],
  ['POST', '/strike', async ({ handle }) => (await handle?.strike())?.kind ?? 'no ban'],
]

function hello({ ask }: Http2Client): ReturnType<Http2Client['ask']> {
  return ask({ ':path': '/hello' })
}

function late(): Policy {
  return policy({ name: 'late', evaluate: () => new Promise((resolve) => setTimeout(resolve, 0, undefined)) })
}
