import type { AdapterMount, AdapterRoute, RouteAnswer } from '@ipguard/conformance'
import type { RequestHandle } from '@ipguard/core'
import { adapterOf } from './adapter-of.ts'
import { SERVER_HEADER, type SuiteSetup, suiteSetups } from './suite-setup.ts'

type RouteHandler = (request: Request, context: unknown, handle?: RequestHandle) => Promise<Response>

/** The handler of one path: the server's own answer, behind the adapters that stand on routes; without a route, it finds nothing. */
export function suiteRoute(method: string, path: string): RouteHandler {
  return async (request, context) => {
    const setup = suiteSetups().get(request.headers.get(SERVER_HEADER) ?? '')
    if (!setup) return new Response('No server of the suite is named.', { status: 500 })
    const route = setup.routes.find((each) => each.method === method && each.path === path)
    return guardsOf(setup, route).reduceRight(behind, handlerOf(route))(request, context)
  }
}

function handlerOf(route: AdapterRoute | undefined): RouteHandler {
  return async (request, _context, handle) =>
    route
      ? toResponse(await route.answer({ handle, readBody: () => request.text() }))
      : new Response('Nothing is here.', { status: 404 })
}

function behind(handler: RouteHandler, mount: AdapterMount): RouteHandler {
  return adapterOf(mount).route(handler)
}

/** A route's own guard stands on its handler, also where the others stand in the proxy. */
function guardsOf({ place, mounts }: SuiteSetup, route: AdapterRoute | undefined): readonly AdapterMount[] {
  return [...(place === 'route' ? mounts : []), ...(route?.guard ? [{ path: route.path, guard: route.guard }] : [])]
}

function toResponse({ status, headers, chunks }: RouteAnswer): Response {
  const [first = ''] = chunks
  const response = new Response(chunks.length > 1 ? inParts(chunks) : first, { status })
  for (const [name, value] of Object.entries(headers)) {
    response.headers.delete(name)
    for (const line of [value].flat()) response.headers.append(name, line)
  }
  return response
}

function inParts(chunks: readonly string[]): ReadableStream<Uint8Array> {
  const left = [...chunks]
  return new ReadableStream({
    pull(controller) {
      const next = left.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(new TextEncoder().encode(next))
    },
  })
}
