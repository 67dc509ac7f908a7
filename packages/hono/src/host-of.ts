import type { BunServer, DenoInfo } from '@ipguard/fetch'
import type { NodeIncoming } from '@ipguard/node/request'
import type { Context } from 'hono'

/** What the runtimes pass to `app.fetch` behind the request, each its own part. */
export interface Host {
  /** `@hono/node-server` */
  readonly incoming?: NodeIncoming
  readonly outgoing?: { readonly headersSent: boolean; setHeader(name: string, value: string): unknown }
  /** Bun's server */
  readonly requestIP?: BunServer['requestIP']
  readonly port?: number
  /** Deno's info */
  readonly remoteAddr?: DenoInfo['remoteAddr']
}

const NONE: Host = {}

/** There `c.env` has the bindings, and one of these answers to any name. */
const onWorkers = 'WebSocketPair' in globalThis

/** What served a request, in `c.env` or, as Hono's own helpers also take it, in `c.env.server`. */
export function hostOf(c: Context): Host {
  if (onWorkers) return NONE
  const env = c.env as (Host & { readonly server?: Host }) | undefined // whatever the caller of app.fetch passed
  return env?.server ?? env ?? NONE
}
