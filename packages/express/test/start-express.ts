import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { guardUpgrade } from '@ipguard/node'
import type express from 'express'
import { ipguard } from '../src/index.ts'

type Express = () => express.Express

/** An application of Express for the suite; `create` is that of Express 4 or 5. */
export function startExpress(create: Express): (setup: AdapterSetup) => Promise<AdapterServer> {
  return async (setup) => {
    const app = create()
    app.set('env', 'test') // Express prints errors otherwise
    for (const { path, guard, ...options } of setup.mounts) {
      const { facts, ...rest } = options
      app.use(path, ipguard(guard, { ...rest, ...(facts && { facts: (req) => facts((name) => req.get(name)) }) }))
    }
    for (const route of setup.routes) {
      const guards = route.guard ? [ipguard(route.guard)] : []
      app[route.method === 'GET' ? 'get' : 'post'](route.path, ...guards, handler(route))
    }
    const server = createServer(app)
    for (const { guard } of setup.onUpgrade ? setup.mounts : []) guardUpgrade(server, guard)
    if (setup.onUpgrade) server.on('upgrade', setup.onUpgrade)
    await new Promise<void>((resolve) => server.listen(0, setup.host, resolve))
    const { port } = server.address() as AddressInfo
    return {
      host: setup.host,
      port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    }
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
