import { bunServe } from '@ipguard/fetch'
import type { Handler } from '../cases/site.ts'
import { frameworks } from '../suites/frameworks.ts'
import { FETCH_LACKS, runSuites, type SuiteOfAdapter } from '../suites/run-suites.ts'
import { fetchHandler, honoHandler } from '../suites/setup-handlers.ts'

declare const Bun: {
  serve(options: { hostname: string; port: number; fetch: Handler }): {
    readonly port: number
    stop(closeConnections: boolean): Promise<void>
  }
}

const onBun = (handlerOf: typeof honoHandler, lacks: SuiteOfAdapter['capabilities'] = {}): SuiteOfAdapter => ({
  async start(setup) {
    const server = Bun.serve({ hostname: setup.host, port: 0, fetch: handlerOf(setup) })
    return { host: setup.host, port: server.port, close: () => server.stop(true) }
  },
  capabilities: {
    ...lacks,
    upgrade: 'Bun.serve has no upgrade event: a handshake is a request, and is guarded as every other',
    pipeline: 'Bun.serve ends a connection that sends a request before it has answered the one before',
  },
})

await runSuites(
  {
    ...frameworks,
    hono: onBun(honoHandler),
    fetch: onBun((setup) => fetchHandler(setup, bunServe as never), FETCH_LACKS),
  },
  {
    'client: a connection without an address is no client, and comes in by no allow list':
      'the suite hides the address in a diagnostics channel of node:http, which is silent here',
  },
)
