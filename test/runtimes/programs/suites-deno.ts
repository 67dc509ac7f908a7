import { denoServe } from '@ipguard/fetch'
import type { Handler } from '../cases/site.ts'
import { FETCH_LACKS, runSuites, type SuiteOfAdapter } from '../suites/run-suites.ts'
import { fetchHandler, honoHandler } from '../suites/setup-handlers.ts'

declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(): void },
    handler: Handler,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> }
}

const onDeno = (handlerOf: typeof honoHandler, lacks: SuiteOfAdapter['capabilities'] = {}): SuiteOfAdapter => ({
  async start(setup) {
    const server = Deno.serve({ hostname: setup.host, port: 0, onListen() {} }, handlerOf(setup))
    return { host: setup.host, port: server.addr.port, close: () => server.shutdown() }
  },
  capabilities: {
    ...lacks,
    upgrade: 'Deno.serve has no upgrade event: a handshake is a request, and is guarded as every other',
  },
})

await runSuites(
  { hono: onDeno(honoHandler), fetch: onDeno((setup) => fetchHandler(setup, denoServe as never), FETCH_LACKS) },
  {
    'client: a connection without an address is no client, and comes in by no allow list':
      'the suite hides the address in a diagnostics channel of node:http, which is silent here',
  },
)
