import type { Guard, RequestHandle } from '@ipguard/core'
import type { AdapterRoute, RouteAnswer, RouteInput, SuiteFacts } from './adapter-driver.ts'

type Answer = (input: RouteInput) => Promise<RouteAnswer> | RouteAnswer

/** The routes of every server of the suite; `onReached` hears of each handler that runs, and what it was handed. */
export function suiteRoutes(
  onReached: (path: string, handle: RequestHandle | undefined) => void,
  loginGuard: Guard<SuiteFacts> | undefined,
): readonly AdapterRoute[] {
  return ROUTES.map(([method, path, answer]) => ({
    method,
    path,
    ...(path === '/login' && loginGuard && { guard: loginGuard }),
    answer: async (input) => {
      onReached(path, input.handle)
      const answered = await answer(input)
      return { ...answered, headers: { ...answered.headers, 'x-handler': path } }
    },
  }))
}

/** What the handler of `/cookies` sets. */
export const COOKIES: readonly string[] = ['first=1; Path=/', 'second=2; Path=/']

const ROUTES: readonly (readonly [method: AdapterRoute['method'], path: string, answer: Answer])[] = [
  ['GET', '/hello', () => text('hello')],
  ['GET', '/admin', () => text('admin')],
  ['GET', '/public', () => text('public')],
  ['GET', '/mounted/inner', () => text('inner')],
  ['GET', '/stream', () => text('one', 'two', 'three')],
  ['GET', '/failing', () => ({ ...text('failed'), status: 500 })],
  ['GET', '/cookies', () => ({ ...text('cookies'), headers: { 'set-cookie': [...COOKIES] } })],
  ['GET', '/decision', ({ handle }) => text(JSON.stringify(handle?.decision ?? null))],
  ['POST', '/echo', async ({ readBody }) => text(await readBody())],
  ['POST', '/login', () => text('logged in')],
  ['POST', '/strike', async ({ handle }) => text((await handle?.strike())?.kind ?? 'no ban')],
  ['POST', '/refund', async ({ handle }) => text(String(await handle?.refund()))],
]

function text(...chunks: readonly string[]): RouteAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain' }, chunks }
}
