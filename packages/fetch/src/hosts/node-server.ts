import type { NodeIncoming } from '@ipguard/node/request'
import { peerMissing } from '../peer-missing.ts'

/** What `@hono/node-server` passes behind the request. */
export interface NodeServerEnv {
  readonly incoming: NodeIncoming
}

interface NodeServer {
  readonly incoming: (request: Request, env: NodeServerEnv) => NodeIncoming
}

/**
 * For `@hono/node-server`, which serves any Fetch handler on `node:http`.
 *
 * @example
 * serve({ fetch: protect(guard, () => new Response('Hello'), nodeServer) })
 */
export const nodeServer: NodeServer = {
  incoming(_request, env) {
    if (!env?.incoming)
      throw peerMissing(
        'nodeServer is given no request of node:http',
        'serve({ fetch: (request, env) => guarded(request, env) })',
      )
    return env.incoming
  },
}
