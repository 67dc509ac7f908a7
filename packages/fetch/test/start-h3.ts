import { createServer } from 'node:http'
import type { AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { listenAs } from '@ipguard/tools/adapters'
import { H3, type Middleware, toNodeHandler, toResponse } from 'h3'
import { type IpGuardFetch, ipguard, srvx } from '../src/index.ts'
import { answerRoute, factsBy } from './start-fetch.ts'

/** An application of h3, which Nitro is made of, served by srvx, for the suite. */
export async function startH3(setup: AdapterSetup): Promise<AdapterServer> {
  const app = new H3({ silent: true })
  for (const { path, guard, facts, ...rest } of setup.mounts) {
    const guarded = ipguard(guard, { ...srvx, ...rest, ...(facts && { facts: factsBy(facts) }) })
    if (path === '/') app.use(middleware(guarded))
    else app.use(`${path}/**`, middleware(guarded))
  }
  for (const route of setup.routes) {
    app.on(route.method, route.path, (event) => answerRoute(route, event.req), {
      ...(route.guard && { middleware: [middleware(ipguard(route.guard, srvx))] }),
    })
  }
  return listenAs(setup, createServer(toNodeHandler(app)))
}

/** What h3 answers may be any value: made a response, it can be given headers. */
function middleware(guarded: IpGuardFetch): Middleware {
  return (event, next) => guarded(event.req, async () => toResponse(await next(), event))
}
