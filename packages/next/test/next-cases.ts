import { type RawRequest, rawExchange } from '@ipguard/conformance'
import { createGuard, type Guard, type GuardOptions, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { expect, it } from 'vitest'
import type { SuitePlace } from './app/suite-setup.ts'
import type { RunningNext } from './start-next.ts'

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
    withGuard({ policies: [] }, async (guard) => {
      const { send, reached, close } = await serve(guard)
      for (const value of FORGED) {
        const { status } = await send({ target: '/hello', headers: [['X-Middleware-Subrequest', value]] })
        expect([value, status, reached]).toEqual([value, 403, []])
      }
      expect([(await send({ target: '/hello' })).status, reached]).toEqual([200, ['/hello']])
      await close()
    }))

  it('counts a request once, in front of everything and on its route', () =>
    withGuard({ policies: [rateLimit({ name: 'site', limit: 4, window: '1h' })] }, async (guard) => {
      const login = guard.with({ policies: [rateLimit({ name: 'login', limit: 1, window: '2h' })] })
      const { send, reached, close } = await serve(guard, login)
      const post = { method: 'POST', target: '/login' }
      expect([(await send(post)).status, (await send(post)).status]).toEqual([200, 429])
      const { headers } = await send({ target: '/hello' })
      expect([headers.ratelimit?.split(';')[1], reached]).toEqual(['r=1', ['/login', '/hello']])
      await close()
    }))

  if (place === 'proxy')
    it('stands in front of what Next answers by itself', () =>
      withGuard({ policies: [rateLimit({ limit: 2, window: '1h' })] }, async (guard) => {
        const { send, close } = await serve(guard)
        const answers = [await send(NOT_FOUND), await send(NOT_FOUND), await send(NOT_FOUND)]
        const seen = answers.map(({ status, headers }) => [status, headers['ratelimit-policy']])
        expect(seen).toEqual([404, 404, 429].map((status) => [status, '"2-in-1h";q=2;w=3600']))
        await close()
      }))

  async function serve(guard: Guard, loginGuard?: Guard) {
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
        { method: 'POST', path: '/login', answer: answer('/login'), ...(loginGuard && { guard: loginGuard }) },
      ],
    })
    return { reached, close: server.close, send: (request: RawRequest) => rawExchange(server, request) }
  }
}

async function withGuard(options: GuardOptions, run: (guard: Guard) => Promise<void>): Promise<void> {
  const guard = createGuard({ store: memoryStore(), onWarning: () => {}, ...options })
  try {
    await run(guard)
  } finally {
    await guard.close()
  }
}
