import { isListHeader, mergeList } from '@ipguard/core'

/**
 * A response with more headers: the same one where its headers can be changed, otherwise a new one with the same body, as of a response
 * that `fetch` or `Response.redirect` made.
 *
 * What the response has stays, such as what the guard of one route has said; lists (`Vary`, `Access-Control-Expose-Headers`) are joined. A
 * response that changes protocols (101) stays as it is: nobody can make it anew.
 *
 * @example
 * return withHeaders(await fetch(upstream), { 'RateLimit-Policy': '"60-in-60s";q=60;w=60' })
 */
export function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  const names = Object.keys(headers)
  if (names.length === 0 || response.status === 101) return response
  try {
    for (const name of names) addHeader(response.headers, name, headers[name] ?? '')
    return response
  } catch {
    const own = new Headers(response.headers)
    for (const name of names) addHeader(own, name, headers[name] ?? '')
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers: own })
  }
}

function addHeader(headers: Headers, name: string, value: string): void {
  const before = headers.get(name)
  if (before === null) headers.set(name, value)
  else if (isListHeader(name)) headers.set(name, mergeList(before, value))
}
