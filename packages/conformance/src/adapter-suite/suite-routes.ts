import type { Guard } from '@ipguard/core'
import type { AdapterRoute, RouteAnswer, RouteInput, SuiteFacts } from './adapter-driver.ts'

type Answer = (input: RouteInput) => Promise<RouteAnswer> | RouteAnswer

/** The routes of every server of the suite; `onReached` hears of each handler that runs. */
export function suiteRoutes(
  onReached: (path: string) => void,
  loginGuard: Guard<SuiteFacts> | undefined,
): readonly AdapterRoute[] {
  return ROUTES.map(([method, path, answer]) => ({
    method,
    path,
    ...(path === '/login' && loginGuard && { guard: loginGuard }),
    answer: async (input) => {
      onReached(path)
      const answered = await answer(input)
      return { ...answered, headers: { ...answered.headers, 'x-handler': path } }
    },
  }))
}

const ROUTES: readonly (readonly [method: AdapterRoute['method'], path: string, answer: Answer])[] = [
  ['GET', '/hello', () => text('hello')],
  ['GET', '/admin', () => text('admin')],
  ['GET', '/public', () => text('public')],
  ['GET', '/mounted/inner', () => text('inner')],
  ['GET', '/stream', () => text('one', 'two', 'three')],
  ['GET', '/decision', ({ handle }) => text(JSON.stringify(handle?.decision ?? null))],
  ['POST', '/echo', async ({ readBody }) => text(await readBody())],
  ['POST', '/login', () => text('logged in')],
  ['POST', '/strike', async ({ handle }) => text((await handle?.strike())?.kind ?? 'no ban')],
  ['POST', '/refund', async ({ handle }) => text(String(await handle?.refund()))],
]

function text(...chunks: readonly string[]): RouteAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain' }, chunks }
}
