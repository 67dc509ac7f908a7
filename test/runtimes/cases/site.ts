import { type FetchAdapterOptions, handleOf, type IpGuardError, protect } from '@ipguard/fetch'
import { type HonoAdapterOptions, ipguard } from '@ipguard/hono'
import { Hono, type Handler as HonoHandler } from 'hono'
import { runAllCases } from './all-cases.ts'
import { decisionLines } from './decision-lines.ts'
import { siteAnswer } from './site-answer.ts'
import { type GuardName, guardNames, siteGuard } from './site-guards.ts'

/** A Fetch handler as hosts call it: behind the request comes whatever they pass. */
export type Handler = (request: Request, ...rest: never[]) => Response | Promise<Response>

/** What a runtime has. */
export interface SiteOptions<First, Second> {
  /** Its helper for `protect`. */
  readonly host: FetchAdapterOptions<unknown, First, Second>
  /** Hono's own function for it, which tells whose connection it is. */
  readonly connInfo?: NonNullable<HonoAdapterOptions['peer']>
  /** Accepts a WebSocket that echoes; answers what the runtime wants to be answered then, which may be nothing. */
  readonly upgrade?: (request: Request, first: First) => Response | undefined
}

/**
 * What every runtime serves: `/cases` runs what needs no server, `/decisions` makes decisions, and `/fetch/<guard>` and `/hono/<guard>` stand
 * behind guards that were made while this module loaded. Made of what users write, `protect(guard, handler, host)` and
 * `app.use(ipguard(guard))`; both are there twice, and must count once.
 */
export function createSite<First, Second>({ host, connInfo, upgrade }: SiteOptions<First, Second>): Handler {
  const handlers = new Map<string, Handler>()
  const accept = (request: Request, first: First): readonly [Response | undefined] | undefined =>
    upgrade && request.headers.get('upgrade') === 'websocket' ? [upgrade(request, first)] : undefined

  for (const name of guardNames) {
    const protectSite = (): Handler => {
      const guard = siteGuard(name)
      const answer = async (request: Request, first: First): Promise<Response> => {
        const accepted = accept(request, first)
        // Bun takes no answer there.
        return accepted ? (accepted[0] as Response) : siteAnswer(request, handleOf(request))
      }
      const inner = protect<unknown, First, Second>(guard, answer, host)
      return protect<unknown, First, Second>(guard, inner as typeof answer, host) as Handler
    }
    handlers.set(`/fetch/${name}`, orError(protectSite))
    handlers.set(`/hono/${name}`, honoSite(name, {}))
  }
  if (connInfo) handlers.set('/hono/conninfo', honoSite('socket', { peer: connInfo }))

  function honoSite(name: GuardName, options: HonoAdapterOptions): Handler {
    const app = new Hono()
    const guarded = ipguard(siteGuard(name), options)
    const answer: HonoHandler = (c) => {
      // What comes first behind the request, Hono calls `env`; it wants an answer always.
      const accepted = accept(c.req.raw, c.env as First)
      return accepted ? (accepted[0] ?? new Response(null)) : siteAnswer(c.req.raw, c.var.ipguard)
    }
    app.use(guarded, guarded)
    app.all('*', answer)
    app.onError((error) => codeOf(error))
    return (request, ...rest) => app.fetch(request, ...rest)
  }

  return async (request, ...rest) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/cases') return Response.json(await runAllCases())
    if (pathname === '/decisions') return new Response(await decisionLines())
    const handler = handlers.get(pathname)
    return handler ? handler(request, ...rest) : new Response('Not found', { status: 404 })
  }
}

/** What cannot be created here says so to whoever asks. */
function orError(create: () => Handler): Handler {
  try {
    return create()
  } catch (error) {
    return () => codeOf(error)
  }
}

function codeOf(error: unknown): Response {
  return new Response((error as IpGuardError).code ?? String(error), { status: 500 }) // others have no code
}
