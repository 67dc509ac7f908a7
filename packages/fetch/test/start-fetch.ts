import { createServer, type Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { type CreateServer, headerLines, listenAs } from '@ipguard/tools/adapters'
import { handleOf, type NodeServerEnv, nodeServer, protect } from '../src/index.ts'

type Handler = (request: Request, env: NodeServerEnv) => Promise<Response>

/** A plain Fetch handler on `@hono/node-server` for the suite, protected as a whole and route by route. */
export async function startFetch(setup: AdapterSetup, create: CreateServer = createServer): Promise<AdapterServer> {
  const routes = setup.routes.map((route) => ({ ...route, handler: handlerOf(route) }))
  const router: Handler = async (request, env) => {
    const { pathname } = new URL(request.url)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find((each) => each.method === method && each.path === pathname)
    return route ? route.handler(request, env) : new Response('not found', { status: 404 })
  }
  // The first mount is the outermost.
  const handler = setup.mounts.reduceRight<Handler>((inner, { path, guard, facts, ...rest }) => {
    const options = { ...nodeServer, ...rest, ...(facts && { facts: factsBy(facts) }) }
    const guarded: Handler = protect(guard, inner, options)
    if (path === '/') return guarded
    return (request, env) => (new URL(request.url).pathname.startsWith(`${path}/`) ? guarded : inner)(request, env)
  }, router)
  const server = createAdaptorServer({ fetch: handler as never, createServer: create as typeof createServer })
  return listenAs(setup, server as Server)
}

export function factsBy<Facts>(
  facts: (header: (name: string) => string | undefined) => Facts,
): (request: Request) => Facts {
  return (request) => facts((name) => request.headers.get(name) ?? undefined)
}

function handlerOf(route: AdapterRoute): Handler {
  const handler: Handler = (request) => answerRoute(route, request)
  return route.guard ? protect(route.guard, handler, nodeServer) : handler
}

/** What a route's handler answers; chunks are written one by one. */
export async function answerRoute(route: AdapterRoute, request: Request): Promise<Response> {
  const { status, headers, chunks } = await route.answer({
    handle: handleOf(request),
    readBody: () => request.text(),
  })
  const init = { status, headers: headerLines(headers) }
  return new Response(chunks.length === 1 ? (chunks[0] ?? '') : streamOf(chunks), init)
}

/** Each chunk is asked for by itself. */
function streamOf(chunks: readonly string[]): ReadableStream<Uint8Array> {
  const left = chunks.values()
  return new ReadableStream({
    pull(controller) {
      const { done, value } = left.next()
      if (done) controller.close()
      else controller.enqueue(new TextEncoder().encode(value))
    },
  })
}
