import { type AdapterServer, type AdapterSetup, rawExchange } from '@ipguard/conformance'
import { createGuard, type GuardOptions, nginx } from '@ipguard/core'
import { findProgram } from '../services/index.ts'
import { type Forgery, forgeries } from './forgeries.ts'
import { fronts, untoldFronts } from './fronts.ts'

type ClientIp = NonNullable<GuardOptions['clientIp']>

export interface ProxySuiteOptions {
  readonly test: (name: string, run: () => Promise<void>) => unknown
  readonly expect: (actual: unknown) => { toEqual(expected: unknown): unknown }
  /** That of `adapterSuite`. */
  readonly start: (setup: AdapterSetup) => Promise<AdapterServer>
}

/** Fetches the proxies that this machine lacks, which may take a minute: for `beforeAll`. */
export function findProxies(): void {
  for (const name of ['nginx', 'caddy', 'haproxy'] as const) findProgram(name)
}

/**
 * Real proxies in front of an adapter: in every setting of `docs/client-address.md` that can be run here, each caller is taken for who it
 * is, whatever headers it sends; and where the application was not told of its proxy, everybody is the proxy.
 *
 * @example
 * beforeAll(findProxies, 300_000)
 * proxySuite({ test, expect, start: startExpress })
 */
export function proxySuite({ test, expect, start }: ProxySuiteOptions): void {
  for (const { name, clientIp, start: startFront } of fronts) {
    test(`behind ${name}, the client is the caller`, () =>
      scene({ clientIp, startFront }, async (clientOf) => {
        for (const from of ['127.0.0.9', '::1']) await holds(clientOf, from, from)
        // Another one of the same network, who is told from the first.
        expect(await clientOf(NOTHING_FORGED, '127.0.0.77')).toEqual('127.0.0.77')
      }))
  }
  for (const { name, start: startFront } of untoldFronts) {
    test(`behind ${name}, of which the application was not told, everybody is the proxy`, async () => {
      for (const clientIp of [{}, nginx({ trust: ['10.0.0.5/32'] })]) {
        await scene({ clientIp, startFront }, (clientOf) => holds(clientOf, '127.0.0.9', '127.0.0.1'))
      }
    })
  }
  for (const host of ['127.0.0.1', '::']) {
    test(`with nothing in front, on ${host}, the client is the caller`, async () => {
      for (const clientIp of [{}, nginx({ trust: ['10.0.0.5/32'] }), nginx({ trust: ['127.0.0.1/32'] })]) {
        await scene({ clientIp, host }, (clientOf) => holds(clientOf, '127.0.0.9', '127.0.0.9'))
      }
    })
  }

  /** Every forgery, from one caller; all that went wrong is told at once. */
  async function holds(clientOf: ClientOf, from: string, wanted: string): Promise<void> {
    const found: unknown[] = []
    for (const forgery of forgeries) {
      const client = await clientOf(forgery, from)
      // 502: the server has refused and closed before the proxy had read its answer. No decision was made.
      const safe = forgery.refusable && (client === null || /^status (4\d\d|502)$/.test(client))
      found.push([forgery.what, from, safe ? wanted : client])
    }
    expect(found).toEqual(forgeries.map(({ what }) => [what, from, wanted]))
  }

  async function scene(
    { clientIp, startFront, host = '127.0.0.1' }: Scene,
    run: (clientOf: ClientOf) => Promise<void>,
  ): Promise<void> {
    const open: { readonly close: () => Promise<void> }[] = []
    const clients: (string | null)[] = []
    try {
      const guard = createGuard({ policies: [], clientIp, onUnknownClient: 'evaluate', onWarning: () => {} })
      open.push(guard)
      // What the guard decided, since not every framework shows it to a handler.
      guard.on('decision', ({ client }) => void clients.push(client?.ip ?? null))
      const app = await start({ host, mounts: [{ path: '/', guard }], routes: [ROUTE] })
      open.push(app)
      const proxies = (await startFront?.(app.port)) ?? []
      open.push(...proxies.map(({ stop }) => ({ close: stop })))
      const port = proxies[0]?.port ?? app.port
      await run(async ({ headers }, from) => {
        clients.length = 0
        const target = { host: from === '::1' ? '::1' : '127.0.0.1', port }
        const { status, body } = await rawExchange(target, { target: '/hello', headers, from })
        const [client = null] = clients
        if (clients.length === 1 && status === 200 && body === 'seen') return client
        return clients.length === 0 ? `status ${status}` : `status ${status} after ${clients.length} decisions`
      })
    } finally {
      for (const each of open.reverse()) await each.close()
    }
  }
}

interface Scene {
  readonly clientIp: ClientIp
  readonly startFront?: (
    app: number,
  ) => Promise<readonly { readonly port: number; readonly stop: () => Promise<void> }[]>
  readonly host?: string
}

const NOTHING_FORGED: Forgery = { what: 'nothing', headers: [] }

type ClientOf = (forgery: Forgery, from: string) => Promise<string | null>

const ROUTE: AdapterSetup['routes'][number] = {
  method: 'GET',
  path: '/hello',
  answer: async () => ({ status: 200, headers: { 'content-type': 'text/plain' }, chunks: ['seen'] }),
}
