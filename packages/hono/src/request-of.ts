import type { GuardRequest } from '@ipguard/core'
import { nodeRequest } from '@ipguard/node/request'
import type { Context } from 'hono'
import type { Host } from './host-of.ts'

/** By which object each request is remembered: middleware may put another one in its place, such as `bodyLimit`. */
const firsts = new WeakMap<Context, Request>()

/** A request of Hono as a guard reads it: on Node that of `node:http`, where lines that Node 20 leaves out show. */
export function requestOf({ incoming }: Host, c: Context): GuardRequest {
  // The method and the path are those that Hono routes by: an application may have made another request of this one.
  if (incoming) return nodeRequest(incoming, c.req.url, c.req.method)
  const { raw } = c.req
  const first = firsts.get(c)
  if (first === raw) return raw
  if (first) return { method: raw.method, url: raw.url, headers: raw.headers, native: first }
  firsts.set(c, raw)
  return raw
}
