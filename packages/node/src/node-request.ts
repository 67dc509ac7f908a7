import type { GuardRequest } from '@ipguard/core'
import type { NodeIncoming } from './node-incoming.ts'

const NONE: readonly string[] = []

/** Names and values that Node keeps of a request when the server sets no `maxHeadersCount`. */
const DEFAULT_PAIRS = 2000

/**
 * A request of `node:http` (or of the compatibility API of `node:http2`) as a guard reads it. Nothing is copied and no body is read.
 *
 * `url` is what the client asked for; left out, it is `originalUrl`, which Express, connect and middie set under a mounted router, or else
 * `url` of the request. Where a path was rewritten (`req.url` by middleware of Express, `rewriteUrl` of Fastify), both are in `names`: rules
 * that refuse hold for both; so they are where `url` is another one than the request's own. `method` left out is the request's; it is in
 * capitals, since HTTP/2 carries any case and some routers take `post` for `POST`. Headers are read from the lines as they came, so what an
 * application has written to `req.headers` changes nothing; repeated ones are joined by `", "` in the order of arrival, also those of which
 * Node drops all but the first.
 *
 * Node 20 silently drops header lines beyond `maxHeadersCount`, so a caller who sends enough of them could push out the one that a proxy
 * appended. The headers of such a request are `incomplete`: none of them names a client.
 *
 * @example
 * const decision = await guard.check(nodeRequest(req), { peer: peerOf(req) })
 */
export function nodeRequest(native: NodeIncoming, url?: string, method?: string): GuardRequest {
  return new NodeRequest(native, url, method)
}

/** What frameworks add, if any did. */
interface Rewritten extends NodeIncoming {
  readonly originalUrl?: unknown
  readonly baseUrl?: unknown
}

/**
 * A class, against the house rule: it is made for every request, and is its own `headers`, so that a request costs one object instead of
 * three.
 */
class NodeRequest implements GuardRequest {
  readonly method: string
  readonly url: string
  readonly native: NodeIncoming

  constructor(native: NodeIncoming, url: string | undefined, method: string | undefined) {
    const { originalUrl } = native as Rewritten
    this.method = (method ?? native.method ?? 'GET').toUpperCase()
    this.url = url ?? (typeof originalUrl === 'string' ? originalUrl : (native.url ?? '/'))
    this.native = native
  }

  get headers(): GuardRequest['headers'] {
    return this
  }

  get names(): readonly string[] {
    const { url, native } = this
    const { originalUrl, baseUrl } = native as Rewritten
    // Express: under a mounted router it has cut `baseUrl` off.
    const routed = typeof baseUrl === 'string' ? baseUrl + (native.url ?? '') : url
    // Another path than the one that came: part of it, or that of a request that the application has made of this one.
    const sent = url.endsWith(native.url ?? '') ? url : (native.url ?? '/')
    const arrived = typeof originalUrl === 'string' ? originalUrl : sent
    return routed === url && arrived === url ? NONE : [routed, arrived]
  }

  get incomplete(): boolean {
    return isCut(this.native)
  }

  get(name: string): string | undefined {
    return readHeader(this.native, name)
  }
}

/**
 * From the lines as they came: `headers` has dropped some of them, and is made of all lines when it is first read, which takes 1.6 us for
 * those of a browser, where looking through them takes 0.1.
 */
function readHeader(native: NodeIncoming, asked: string): string | undefined {
  const name = asked.toLowerCase()
  // Cookies are joined otherwise; and a request that did not come over a connection, such as that of a lambda, may have no lines.
  const isMade = name === 'cookie' || native.rawHeaders.length === 0
  return isMade ? joined(native.headers[name]) : everyLine(native.rawHeaders, name)
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  // A plain object stands behind it: `constructor` is neither.
  if (typeof value === 'string' || value === undefined) return value
  return Array.isArray(value) ? value.join(', ') : undefined
}

function everyLine(rawHeaders: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const other = rawHeaders[i] as string // inside
    if (other.length === name.length && other.toLowerCase() === name)
      value = value === undefined ? rawHeaders[i + 1] : `${value}, ${rawHeaders[i + 1]}`
  }
  return value
}

function isCut({ rawHeaders, socket }: NodeIncoming): boolean {
  if (rawHeaders.length < 2) return false
  // `net` puts the server on its sockets; its types do not say so.
  const { server } = socket as typeof socket & { readonly server?: { readonly maxHeadersCount?: number | null } }
  const count = server?.maxHeadersCount
  const most = typeof count === 'number' ? count * 2 : DEFAULT_PAIRS
  return most > 0 && rawHeaders.length >= most
}
