import type { RequestHandle } from '@ipguard/core'

/** Under the global registry, so that an ESM and a CJS copy of this module know each other's requests. */
const KEY = Symbol.for('ipguard.handles')

const holder = globalThis as { [KEY]?: WeakMap<Request, RequestHandle> } // our own slot in the global object
holder[KEY] ??= new WeakMap()
const handles = holder[KEY]

/**
 * The decision on a request, and what a handler can do about it. Undefined where no guard has seen this very object: a clone or a request
 * made anew is another one.
 *
 * @example
 * const handler = async (request: Request) => {
 *   if (!(await passwordIsRight(request))) await handleOf(request)?.strike()
 *   return Response.redirect('https://example.com/')
 * }
 */
export function handleOf(request: Request): RequestHandle | undefined {
  return handles.get(request)
}

export function setHandle(request: Request, handle: RequestHandle): void {
  handles.set(request, handle)
}
