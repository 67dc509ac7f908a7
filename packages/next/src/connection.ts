import type { GuardRequest } from '@ipguard/core'

/** What Next hides of a request: the connection it came on, and its headers as they arrived. */
export interface Connection {
  /** Undefined where the connection is gone already. */
  readonly peer: string | undefined
  /** As the client asked for it. */
  readonly url: string
  /** Next writes to `req.headers`, and its `Request` does not tell that Node has dropped lines. */
  readonly headers: GuardRequest['headers']
  /** By method, path and query: what guards remember a request by, as each part of Next makes its own `Request` of it. */
  readonly requests: Map<string, object>
}

/** What `@ipguard/next/peer` leaves for the others: they may be bundled apart from it. */
export interface Connections {
  readonly storage: { getStore(): Connection | undefined }
  /** `registerPeer` has been called. */
  registered: boolean
}

/** Under the global registry, so that all bundles and copies of this package know it. */
export const CONNECTIONS: unique symbol = Symbol.for('@ipguard/next/connections')

interface Holder {
  readonly [CONNECTIONS]?: Connections
}

/** Undefined where neither `registerPeer` nor `withPeer` has been called. */
export function findConnections(): Connections | undefined {
  // The class is the one thing that Next's edge sandbox shares with the Node process around it.
  const { AsyncLocalStorage } = globalThis as { readonly AsyncLocalStorage?: Holder }
  return (globalThis as Holder)[CONNECTIONS] ?? AsyncLocalStorage?.[CONNECTIONS]
}

/**
 * What a guard remembers this request by; undefined where only the framework's own object can serve. `base`: the base path, which Next tells
 * the proxy and takes off for route handlers and API routes.
 */
export function requestKey(
  connection: Connection | undefined,
  method: string,
  url: string,
  base = '',
): object | undefined {
  if (!connection) return undefined
  const { requests } = connection
  const path = pathOf(url)
  const key = requests.get(`${method} ${path}`) ?? {}
  requests.set(`${method} ${path}`, key)
  if (base === '' || !path.startsWith(base)) return key
  const rest = path.slice(base.length)
  const inside = rest.startsWith('/') ? rest : `/${rest}`
  if (/^(?:[/?]|$)/.test(rest) && !requests.has(`${method} ${inside}`)) requests.set(`${method} ${inside}`, key)
  return key
}

/** The path that the client asked for, where Next tells another one: without the base path, or that of the page whose data it is. */
export function nameOnConnection(connection: Connection | undefined, url: string): readonly string[] {
  return connection && connection.url !== pathOf(url) ? [connection.url] : []
}

function pathOf(url: string): string {
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('//') + 2)
  return url.slice(start)
}
