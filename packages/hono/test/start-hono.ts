import { createServer, type Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { type CreateServer, headerLines, listenAs } from '@ipguard/tools/adapters'
import { type Handler, Hono } from 'hono'
import { stream } from 'hono/streaming'
import { ipguard } from '../src/index.ts'

/** An application of Hono on `@hono/node-server` for the suite. */
export async function startHono(setup: AdapterSetup, create: CreateServer = createServer): Promise<AdapterServer> {
  const app = new Hono().onError(() => new Response('error', { status: 500 })) // Hono prints errors otherwise
  // As Hono's own middleware for CORS does.
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(setup.before ?? {})) c.res.headers.set(name, value)
    await next()
  })
  for (const { path, guard, ...options } of setup.mounts) {
    const { facts, ...rest } = options
    const under = path === '/' ? '*' : `${path}/*`
    app.use(under, ipguard(guard, { ...rest, ...(facts && { facts: (c) => facts((name) => c.req.header(name)) }) }))
  }
  for (const route of setup.routes) {
    const guards = route.guard ? [ipguard(route.guard)] : []
    app.on(route.method, [route.path], ...guards, handler(route))
  }
  const server = createAdaptorServer({ fetch: app.fetch, createServer: create as typeof createServer })
  return listenAs(setup, server as Server)
}

function handler(route: AdapterRoute): Handler {
  return async (c) => {
    const { status, headers, chunks } = await route.answer({
      handle: c.get('ipguard'),
      readBody: () => c.req.text(),
    })
    const init = { status, headers: headerLines(headers) }
    if (chunks.length === 1) return new Response(chunks[0] ?? '', init)
    const { body } = stream(c, async (out) => {
      for (const chunk of chunks) await out.write(chunk)
    })
    return new Response(body, init)
  }
}
