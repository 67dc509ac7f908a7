import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { listenAs } from '@ipguard/tools/adapters'
import type express from 'express'
import { ipguard } from '../src/index.ts'

type Express = () => express.Express

/** An application of Express for the suite; `create` is that of Express 4 or 5. */
export function startExpress(create: Express): (setup: AdapterSetup) => Promise<AdapterServer> {
  return async (setup) => {
    const app = create()
    app.set('env', 'test') // Express prints errors otherwise
    app.use((_req, res, next) => {
      res.set({ ...setup.before })
      next()
    })
    for (const { path, guard, ...options } of setup.mounts) {
      const { facts, ...rest } = options
      app.use(path, ipguard(guard, { ...rest, ...(facts && { facts: (req) => facts((name) => req.get(name)) }) }))
    }
    for (const route of setup.routes) {
      const guards = route.guard ? [ipguard(route.guard)] : []
      app[route.method === 'GET' ? 'get' : 'post'](route.path, ...guards, handler(route))
    }
    const server = createServer(app)
    return listenAs(setup, server)
  }
}

function handler(route: AdapterRoute): express.RequestHandler {
  return async (req, res) => {
    const { status, headers, chunks } = await route.answer({ handle: req.ipguard, readBody: () => text(req) })
    res.writeHead(status, headers)
    for (const chunk of chunks) res.write(chunk)
    res.end()
  }
}
