import {
  createGuard,
  type Decision,
  type Guard,
  type GuardOptions,
  type Reply,
  type RequestHandle,
  type Store,
} from '@ipguard/core'
import { guardRequestOf } from '../decisions/decision-scenario.ts'
import type { SuiteExpect } from '../suite-runner.ts'
import type { AdapterCapability, AdapterMount, AdapterServer, AdapterSetup, SuiteFacts } from './adapter-driver.ts'
import { type RawConnection, rawConnection } from './raw-connection.ts'
import { type RawAnswer, type RawRequest, rawExchange, type Target } from './raw-exchange.ts'
import { suiteRoutes } from './suite-routes.ts'

/** One named promise of an adapter. */
export interface AdapterCase {
  readonly name: string
  /** Without any one of these it cannot be told. */
  readonly needs?: readonly AdapterCapability[]
  readonly run: (kit: AdapterKit) => Promise<void>
}

/** A guard and the decisions that it has made. */
export interface WatchedGuard {
  readonly guard: Guard<SuiteFacts>
  readonly decisions: readonly Decision[]
}

/** A started server, and the routes whose handlers have run. */
export interface Served {
  readonly server: Target
  /** Over a connection of its own. */
  readonly send: (request: RawRequest | string) => Promise<RawAnswer>
  /** A connection that is kept, for several requests. It ends with the case. */
  readonly connect: () => RawConnection
  readonly reached: readonly string[]
  /** What each of those handlers was handed. */
  readonly handles: readonly (RequestHandle | undefined)[]
}

export interface ServeOptions extends Pick<AdapterSetup, 'onUpgrade' | 'before'> {
  readonly host?: string
  readonly loginGuard?: Guard<SuiteFacts>
}

/** What a case works with. Guards and servers end with the case. */
export interface AdapterKit {
  readonly expect: SuiteExpect
  readonly createStore: () => Store
  /** A guard, on a store of its own unless the options name one. */
  readonly guard: (options: Partial<GuardOptions<SuiteFacts>>) => WatchedGuard
  /** Starts a server; a guard alone stands in front of everything. */
  readonly serve: (mounts: readonly (AdapterMount | WatchedGuard)[], options?: ServeOptions) => Promise<Served>
  readonly close: () => Promise<void>
}

export function createAdapterKit(
  expect: SuiteExpect,
  createStore: () => Store,
  start: (setup: AdapterSetup) => Promise<AdapterServer>,
): AdapterKit {
  const open: { close(): Promise<void> }[] = []
  return {
    expect,
    createStore,
    guard(options) {
      const decisions: Decision[] = []
      const guard = createGuard<SuiteFacts>({ policies: [], ...options, store: options.store ?? createStore() })
      guard.on('decision', (decision) => void decisions.push(decision))
      open.push(guard)
      return { guard, decisions }
    },
    async serve(mounts, { host = '127.0.0.1', loginGuard, onUpgrade, before } = {}) {
      const reached: string[] = []
      const handles: (RequestHandle | undefined)[] = []
      const server = await start({
        host,
        mounts: mounts.map((mount) => ('path' in mount ? mount : { path: '/', guard: mount.guard })),
        routes: suiteRoutes((path, handle) => {
          reached.push(path)
          handles.push(handle)
        }, loginGuard),
        ...(onUpgrade && { onUpgrade }),
        ...(before && { before }),
      })
      open.push(server)
      const target = { host: '127.0.0.1', port: server.port }
      return {
        server: target,
        reached,
        handles,
        send: (request) => rawExchange(target, typeof request === 'string' ? { target: request } : request),
        connect() {
          const connection = rawConnection(target)
          open.push({ close: async () => connection.close() })
          return connection
        },
      }
    },
    async close() {
      for (const each of open.reverse()) await each.close()
    },
  }
}

/** The reply that a guard gives to its latest decision, for a request with these headers. */
export function replyTo({ guard, decisions }: WatchedGuard, request: RawRequest): Reply | undefined {
  const decision = decisions.at(-1)
  return decision && guard.reply(decision, guardRequestOf(request))
}

/** What of an answer a reply speaks of, in the reply's own form. */
export function asReply(answer: RawAnswer, like: Reply | undefined): Reply {
  const names = Object.keys(like?.headers ?? {})
  const headers = Object.fromEntries(names.map((name) => [name, answer.headers[name.toLowerCase()] ?? '(absent)']))
  return { status: answer.status, headers, body: answer.body }
}

/** The `RateLimit` headers of an answer. */
export function limitHeaders({ headers }: RawAnswer): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ratelimit')))
}
