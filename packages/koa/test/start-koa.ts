import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { type CreateServer, listenAs } from '@ipguard/tools/adapters'
import Router, { type RouterMiddleware } from '@koa/router'
import type Koa from 'koa'
import mount from 'koa-mount'
import { ipguard } from '../src/index.ts'

/** An application of Koa for the suite; `Application` is that of Koa 3 or 2. */
export function startKoa(
  Application: typeof Koa,
  create: CreateServer = createServer,
): (setup: AdapterSetup) => Promise<AdapterServer> {
  return async (setup) => {
    const app = new Application()
    app.silent = true // Koa prints errors otherwise
    app.use((ctx, next) => {
      ctx.set({ ...setup.before })
      return next()
    })
    for (const { path, guard, ...options } of setup.mounts) {
      const { facts, ...rest } = options
      app.use(
        mount(path, ipguard(guard, { ...rest, ...(facts && { facts: (ctx) => facts((name) => ctx.get(name)) }) })),
      )
    }
    const router = new Router()
    for (const route of setup.routes) {
      const guards = route.guard ? [ipguard(route.guard)] : []
      router[route.method === 'GET' ? 'get' : 'post'](route.path, ...guards, handler(route))
    }
    app.use(router.routes()).use(router.allowedMethods())
    const callback = app.callback()
    const server = create({}, (req, res) => void callback(req, res))
    return listenAs(setup, server)
  }
}

function handler(route: AdapterRoute): RouterMiddleware {
  return async (ctx) => {
    const { status, headers, chunks } = await route.answer({
      handle: ctx.state.ipguard,
      readBody: () => text(ctx.req),
    })
    ctx.status = status
    ctx.set(headers)
    ctx.body = chunks.length === 1 ? chunks[0] : Readable.from(chunks)
  }
}
