import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { AdapterMount, AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import type { Guard } from '@ipguard/core'
import { guardUpgrade } from '@ipguard/node'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import { type FastifyAdapterOptions, type IpGuardPlugin, ipguard } from '../src/index.ts'

/** An application of Fastify for the suite; `create` is that of Fastify 5 or 4. A mount under a prefix is a context of its own. */
export function startFastify(create: () => FastifyInstance): (setup: AdapterSetup) => Promise<AdapterServer> {
  return async (setup) => {
    const app = create()
    // The body is the handler's to read; nothing of it is parsed.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    app.addHook('onRequest', async (_request, reply) => void reply.headers({ ...setup.before }))
    const prefixes = setup.mounts.map(({ path }) => path).filter((path) => path !== '/')
    for (const mount of setup.mounts) if (mount.path === '/') await app.register(plugin(mount.guard, mount))
    for (const prefix of new Set(prefixes)) {
      await app.register(
        async (inner) => {
          for (const mount of setup.mounts) if (mount.path === prefix) await inner.register(plugin(mount.guard, mount))
          for (const route of setup.routes) {
            if (route.path.startsWith(`${prefix}/`)) await add(inner, route, route.path.slice(prefix.length))
          }
        },
        { prefix },
      )
    }
    for (const route of setup.routes) {
      if (!prefixes.some((prefix) => route.path.startsWith(`${prefix}/`))) await add(app, route, route.path)
    }
    for (const { guard } of setup.onUpgrade ? setup.mounts : []) guardUpgrade(app.server, guard)
    if (setup.onUpgrade) app.server.on('upgrade', setup.onUpgrade)
    await app.listen({ host: setup.host, port: 0 })
    const { port } = app.server.address() as AddressInfo
    return {
      host: setup.host,
      port,
      close: async () => {
        app.server.closeAllConnections?.() // HTTP/2 has none
        await app.close()
      },
    }
  }
}

function plugin(guard: Guard<never>, mount?: AdapterMount): IpGuardPlugin<never> {
  const { facts, headers, exposeHeaders } = mount ?? {}
  const options: FastifyAdapterOptions<never> = {
    ...(headers !== undefined && { headers }),
    ...(exposeHeaders !== undefined && { exposeHeaders }),
    ...(facts && { facts: ({ headers }) => facts((name) => headers[name]?.toString()) as never }),
  }
  return ipguard(guard, options)
}

/** A route's own guard is the plugin in a context of that one route. */
async function add(app: FastifyInstance, route: AdapterRoute, url: string): Promise<void> {
  if (!route.guard) {
    app.route({ method: route.method, url, handler: handler(route) })
    return
  }
  const own = plugin(route.guard)
  await app.register(async (inner) => {
    await inner.register(own)
    inner.route({ method: route.method, url, handler: handler(route) })
  })
}

function handler(route: AdapterRoute): RouteHandlerMethod {
  return async (request, reply) => {
    const { status, headers, chunks } = await route.answer({
      handle: request.ipguard,
      readBody: async () => (request.body === undefined ? '' : text(request.body as Readable)),
    })
    reply.code(status).headers(headers)
    return reply.send(chunks.length === 1 ? chunks[0] : Readable.from(chunks))
  }
}
