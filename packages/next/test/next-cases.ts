import { type RawAnswer, type RawRequest, rawExchange } from '@ipguard/conformance'
import { createGuard, deny, type GuardOptions, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { expect, it } from 'vitest'
import type { SuitePlace } from './app/suite-setup.ts'
import type { RunningNext } from './start-next.ts'
import { EDGE_PATH } from './suite-route-paths.ts'

/** Values that versions of Next have taken for "the proxy has run already" (CVE-2025-29927). */
const FORGED = [
  'middleware',
  'src/middleware',
  'middleware:middleware:middleware:middleware:middleware',
  'src/middleware:src/middleware:src/middleware:src/middleware:src/middleware',
  'proxy:proxy:proxy:proxy:proxy',
  'pages/_middleware',
  'x',
]

const NOT_FOUND = { target: '/_next/static/nothing.js' }

/** What holds for Next alone, in the proxy and on routes. */
export function nextCases(place: SuitePlace, started: () => RunningNext): void {
  it('refuses who forges x-middleware-subrequest', () =>
    withServer({ policies: [] }, async ({ send, reached }) => {
      for (const value of FORGED) {
        const { status } = await send({ target: '/hello', headers: [['X-Middleware-Subrequest', value]] })
        expect([value, status, reached]).toEqual([value, 403, []])
      }
      expect([(await send({ target: '/hello' })).status, reached]).toEqual([200, ['/hello']])
    }))

  it('counts a request once, in front of everything and on its route', () =>
    withServer({ policies: [rateLimit({ name: 'site', limit: 4, window: '1h' })] }, async ({ send, reached }) => {
      const post = { method: 'POST', target: '/login' }
      expect([(await send(post)).status, (await send(post)).status]).toEqual([200, 429])
      const { headers } = await send({ target: '/hello' })
      expect([headers.ratelimit?.split(';')[1], reached]).toEqual(['r=1', ['/login', '/hello']])
    }))

  it('refuses by the connection before a handler in the edge runtime, and counts a request once', () =>
    withServer(
      { policies: [deny(['127.0.0.9']), rateLimit({ limit: 3, window: '1h' })] },
      async ({ send, reached }) => {
        const get = { target: EDGE_PATH, headers: [['X-Forwarded-For', '127.0.0.9']] } as const
        const statuses: number[] = []
        for (const from of ['127.0.0.9', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'])
          statuses.push((await send({ ...get, from })).status)
        expect(statuses).toEqual([403, 200, 200, 429, 429])
        expect(reached).toEqual([EDGE_PATH, EDGE_PATH])
      },
    ))

  if (place === 'proxy')
    it('stands in front of what Next answers by itself', () =>
      withServer({ policies: [rateLimit({ limit: 2, window: '1h' })] }, async ({ send }) => {
        const answers = [await send(NOT_FOUND), await send(NOT_FOUND), await send(NOT_FOUND)]
        const seen = answers.map(({ status, headers }) => [status, headers['ratelimit-policy']])
        expect(seen).toEqual([404, 404, 429].map((status) => [status, '"2-in-1h";q=2;w=3600']))
      }))

  /** A guard on everything, and one of its own on `/login`. */
  async function withServer(options: GuardOptions, run: (scene: Scene) => Promise<void>): Promise<void> {
    const guard = createGuard({ store: memoryStore(), onWarning: () => {}, ...options })
    const loginGuard = guard.with({ policies: [rateLimit({ name: 'login', limit: 1, window: '2h' })] })
    const edgeGuard = guard.with({ policies: [rateLimit({ name: 'edge', limit: 2, window: '2h' })] })
    const reached: string[] = []
    const answer = (path: string) => async () => {
      reached.push(path)
      return { status: 200, headers: {}, chunks: ['reached'] }
    }
    const server = await started().start(place)({
      host: '127.0.0.1',
      mounts: [{ path: '/', guard }],
      routes: [
        { method: 'GET', path: '/hello', answer: answer('/hello') },
        { method: 'POST', path: '/login', answer: answer('/login'), guard: loginGuard },
        { method: 'GET', path: EDGE_PATH, answer: answer(EDGE_PATH), guard: edgeGuard },
      ],
    })
    try {
      await run({ reached, send: (request) => rawExchange(server, request) })
    } finally {
      await server.close()
      await guard.close()
    }
  }
}

interface Scene {
  readonly reached: readonly string[]
  readonly send: (request: RawRequest) => Promise<RawAnswer>
}
