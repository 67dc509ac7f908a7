import type { NodeIncoming } from '@ipguard/node/request'

/**
 * What a host can tell about a request. `First` and `Second` are what it passes to a handler behind the request, such as `env` and `ctx` of
 * a Worker.
 *
 * There is one for each runtime: `bunServe`, `denoServe`, `nodeServer`, `srvx`, `workers`.
 */
export interface FetchHost<First = unknown, Second = unknown> {
  /** The address of the connection, from the runtime, never from a header; `'unix'` for a unix-domain socket. @default that of `incoming` */
  readonly peer?: (request: Request, first: First, second: Second) => string | undefined
  /**
   * The request of `node:http` behind this one, on hosts that run on Node: its socket is the peer, and headers are read from it, because
   * Node 20 leaves out lines beyond the thousandth and only there it shows.
   */
  readonly incoming?: (request: Request, first: First, second: Second) => NodeIncoming | undefined
  /** Keeps background work alive after the response. */
  readonly waitUntil?: (work: Promise<unknown>, request: Request, first: First, second: Second) => void
}

/** What a host passes behind the request, as far as anybody reads it. */
export type HostArguments<First, Second> = unknown extends Second
  ? unknown extends First
    ? []
    : undefined extends First
      ? [first?: First]
      : [first: First]
  : undefined extends Second
    ? [first: First, second?: Second]
    : [first: First, second: Second]
