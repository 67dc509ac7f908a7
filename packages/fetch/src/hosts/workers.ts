/** As much of a Worker's context as is needed. */
export interface WorkerContext {
  waitUntil(work: Promise<unknown>): void
}

interface Workers {
  readonly waitUntil: (work: Promise<unknown>, request: Request, env: unknown, ctx: WorkerContext) => void
}

/**
 * For Cloudflare Workers, which have no peer: `clientIp: cloudflareWorkers()` names the client there.
 *
 * @example
 * export default { fetch: protect((env: Env) => createSiteGuard(env), handler, workers) }
 */
export const workers: Workers = {
  waitUntil: (work, _request, _env, ctx) => ctx?.waitUntil(work),
}
