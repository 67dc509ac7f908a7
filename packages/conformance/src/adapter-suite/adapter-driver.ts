import type { Guard, RequestHandle } from '@ipguard/core'
import type { Target } from './raw-exchange.ts'

/** What the suite's policies are told about a request. */
export interface SuiteFacts {
  readonly plan: string | undefined
}

/** One place where the adapter stands. */
export interface AdapterMount {
  /** `'/'`: in front of everything. Otherwise the prefix of a router, or of what the framework has in its place. */
  readonly path: string
  readonly guard: Guard<SuiteFacts>
  /** The adapter's `headers` option. */
  readonly headers?: boolean
  /** The adapter's `exposeHeaders` option. */
  readonly exposeHeaders?: boolean
  /** For the adapter's `facts` option: give it a function that reads one header of the framework's request. */
  readonly facts?: (header: (name: string) => string | undefined) => SuiteFacts
}

/** What a route's handler is given. */
export interface RouteInput {
  /** What the adapter hands to a handler, such as `req.ipguard`; undefined where no guard is mounted. */
  readonly handle: RequestHandle | undefined
  /** The whole body, read by the framework's own means. */
  readonly readBody: () => Promise<string>
}

/** What a handler of the suite answers, in one chunk or streamed in several. */
export interface RouteAnswer {
  readonly status: number
  /** A list is to be sent as a line for each, as `Set-Cookie` must be. */
  readonly headers: Readonly<Record<string, string | string[]>>
  /** To be written one by one, without a `Content-Length`; an array of one is an ordinary body. */
  readonly chunks: readonly string[]
}

/** A route to be registered with the framework's own router, all its options at their defaults. */
export interface AdapterRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** A guard for this route alone, such as `app.post(path, ipguard(guard), handler)`. */
  readonly guard?: Guard<SuiteFacts>
  readonly answer: (input: RouteInput) => Promise<RouteAnswer>
}

/** What the driver has to start. */
export interface AdapterSetup {
  /** Listen here, on any free port. */
  readonly host: string
  /** To be set on every answer by the application itself, in front of the mounts, as CORS does. Absent when the case has nothing to do with it. */
  readonly before?: Readonly<Record<string, string>>
  /** In this order, before the routes. */
  readonly mounts: readonly AdapterMount[]
  readonly routes: readonly AdapterRoute[]
  /**
   * For the server's `upgrade` event, with the guards of all mounts in front of it.
   * Absent when the case has nothing to do with upgrades.
   */
  readonly onUpgrade?: (request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array) => void
}

/** As much of `IncomingMessage` and its socket as an upgrade needs. */
export interface UpgradeRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

export interface UpgradeSocket {
  write(data: string | Uint8Array): unknown
  end(data: string | Uint8Array): unknown
  on(event: 'data', listener: (data: Uint8Array) => void): unknown
}

/** A server that the suite has had started: where it listens, and how to stop it. */
export interface AdapterServer extends Target {
  readonly close: () => Promise<void>
}

/**
 * What not every framework has.
 * - `peer`: the address of the connection can be seen, and any header line sent;
 * - `before`: the application can set headers of an answer before the adapter is asked;
 * - `mount`: the adapter can stand under a path prefix;
 * - `route`: it can stand on one route;
 * - `stream`: a handler can write its answer in parts;
 * - `upgrade`: upgrades (WebSocket handshakes) can be guarded;
 * - `pipeline`: the server takes requests that are sent before the answer to the one before them;
 * - `dualStack`: the server can listen on `::`, where an IPv4 peer is written `::ffff:127.0.0.1`;
 * - `handle`: a handler is given the decision, `strike` and `refund`;
 * - `everywhere`: the adapter stands in front of paths and methods that have no handler, too.
 */
export type AdapterCapability =
  | 'peer'
  | 'before'
  | 'mount'
  | 'route'
  | 'stream'
  | 'upgrade'
  | 'pipeline'
  | 'dualStack'
  | 'handle'
  | 'everywhere'
