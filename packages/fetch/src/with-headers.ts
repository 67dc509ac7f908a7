import { isListHeader, mergeList } from '@ipguard/core'

/**
 * A response with more headers: the same one where its headers can be changed, otherwise a new one with the same body, as of a response
 * that `fetch` or `Response.redirect` made.
 *
 * A response that changes protocols (101) stays as it is: nobody can make it anew.
 *
 * @example
 * return withHeaders(await fetch(upstream), { 'RateLimit-Policy': '"60-in-60s";q=60;w=60' })
 */
export function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  const names = Object.keys(headers)
  if (names.length === 0 || response.status === 101) return response
  try {
    for (const name of names) setHeader(response.headers, name, headers[name] ?? '')
    return response
  } catch {
    const own = new Headers(response.headers)
    for (const name of names) setHeader(own, name, headers[name] ?? '')
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers: own })
  }
}

function setHeader(headers: Headers, name: string, value: string): void {
  const before = isListHeader(name) ? headers.get(name) : null
  headers.set(name, before === null ? value : mergeList(before, value))
}
