import type { GuardRequest } from '@ipguard/core'
import type { NodeIncoming } from './node-incoming.ts'

/** Of these, `IncomingMessage.headers` keeps the first line only (Node's documentation of `message.headers`). */
const KEPT_ONCE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

/** Names and values that Node keeps of a request when the server sets no `maxHeadersCount`. */
const DEFAULT_PAIRS = 2000

/**
 * A request of `node:http` (or of the compatibility API of `node:http2`) as a guard reads it. Nothing is copied and no body is read.
 *
 * `url` is what the client asked for; left out, it is `originalUrl`, which Express, connect and middie set under a mounted router, or else
 * `url` of the request. Repeated header lines are joined by `", "` in the order of arrival, also those of which Node drops all but the first.
 *
 * Node 20 silently drops header lines beyond `maxHeadersCount`, so a caller who sends enough of them could push out the one that a proxy
 * appended. Every header of such a request ends in an empty element, which makes a header that names the client name none.
 *
 * @example
 * const decision = await guard.check(nodeRequest(req), { peer: peerOf(req) })
 */
export function nodeRequest(native: NodeIncoming, url?: string): GuardRequest {
  return new NodeRequest(native, url)
}

/**
 * A class, against the house rule: it is made for every request, and is its own `headers`, so that a request costs one object instead of
 * three.
 */
class NodeRequest implements GuardRequest {
  readonly method: string
  readonly url: string
  readonly native: NodeIncoming

  constructor(native: NodeIncoming, url: string | undefined) {
    const { originalUrl } = native as NodeIncoming & { readonly originalUrl?: unknown } // what frameworks add, if any did
    this.method = native.method ?? 'GET'
    this.url = url ?? (typeof originalUrl === 'string' ? originalUrl : (native.url ?? '/'))
    this.native = native
  }

  get headers(): GuardRequest['headers'] {
    return this
  }

  get(name: string): string | undefined {
    return readHeader(this.native, name)
  }
}

function readHeader(native: NodeIncoming, asked: string): string | undefined {
  const name = asked.toLowerCase()
  const value = KEPT_ONCE.has(name) ? everyLine(native.rawHeaders, name) : joined(native.headers[name])
  return isCut(native) ? `${value ?? ''}, ` : value
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  // A plain object stands behind it: `constructor` is neither.
  if (typeof value === 'string' || value === undefined) return value
  return Array.isArray(value) ? value.join(', ') : undefined
}

function everyLine(rawHeaders: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name)
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
