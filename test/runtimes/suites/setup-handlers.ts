import type { AdapterRoute, AdapterSetup } from '@ipguard/conformance'
import { type FetchAdapterOptions, handleOf, protect, type RequestHandle } from '@ipguard/fetch'
import { ipguard } from '@ipguard/hono'
import { headerLines } from '@ipguard/tools/adapters'
import { Hono, type Handler as HonoHandler } from 'hono'
import type { Handler } from '../cases/site.ts'
import { streamOf } from '../cases/site-answer.ts'

/** How the host of a runtime is named to `protect`. */
type Host = Pick<FetchAdapterOptions<never, never, never>, 'peer' | 'incoming' | 'waitUntil'>

/** A plain Fetch handler as the setup says, protected as a whole and route by route. */
export function fetchHandler(setup: AdapterSetup, host: Host): Handler {
  const guarded = (guard: AdapterSetup['mounts'][number]['guard'], inner: Handler, options: object = {}): Handler =>
    protect(guard, inner, { ...host, ...options }) as Handler // what the host passes is passed on as it is
  const routes = setup.routes.map((route) => {
    const handler: Handler = (request) => answerRoute(route, request, handleOf(request))
    return { ...route, handler: route.guard ? guarded(route.guard, handler) : handler }
  })
  const router: Handler = (request, ...rest) => {
    const { pathname } = new URL(request.url)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find((each) => each.method === method && each.path === pathname)
    return route ? route.handler(request, ...rest) : new Response('not found', { status: 404 })
  }
  // The first mount is the outermost.
  return setup.mounts.reduceRight((inner, { path, guard, facts, ...options }) => {
    const whole = guarded(guard, inner, {
      ...options,
      ...(facts && { facts: (request: Request) => facts((name) => request.headers.get(name) ?? undefined) }),
    })
    if (path === '/') return whole
    return (request, ...rest) =>
      (new URL(request.url).pathname.startsWith(`${path}/`) ? whole : inner)(request, ...rest)
  }, router)
}

/** An application of Hono as the setup says. */
export function honoHandler(setup: AdapterSetup): Handler {
  const app = new Hono()
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(setup.before ?? {})) c.res.headers.set(name, value)
    await next()
  })
  for (const { path, guard, facts, ...options } of setup.mounts) {
    app.use(
      path === '/' ? '*' : `${path}/*`,
      ipguard(guard, { ...options, ...(facts && { facts: (c) => facts((name) => c.req.header(name)) }) }),
    )
  }
  for (const route of setup.routes) {
    const guards = route.guard ? [ipguard(route.guard)] : []
    const handler: HonoHandler = (c) => answerRoute(route, c.req.raw, c.get('ipguard'))
    app.on(route.method, [route.path], ...guards, handler)
  }
  return (request, ...rest) => app.fetch(request, ...rest)
}

async function answerRoute(
  route: AdapterRoute,
  request: Request,
  handle: RequestHandle | undefined,
): Promise<Response> {
  const { status, headers, chunks } = await route.answer({ handle, readBody: () => request.text() })
  const body = chunks.length === 1 ? (chunks[0] ?? '') : streamOf(chunks)
  return new Response(body, { status, headers: headerLines(headers) })
}
