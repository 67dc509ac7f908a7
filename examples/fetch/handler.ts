import { logIn, welcome } from './site.ts'

/** The whole application as a function, for any host that calls one. */
export async function handler(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/') return new Response(welcome(request))
  if (pathname !== '/login' || request.method !== 'POST') return new Response('Not found.\n', { status: 404 })
  if (await logIn(request)) return new Response('Welcome back.\n')
  return new Response('Wrong name or password.\n', { status: 401 })
}
