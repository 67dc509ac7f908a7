import type { Server } from 'node:http'
import { type GuardOptions, rateLimit } from '@ipguard/core'

/**
 * What stands in front of the handler: nothing, ipguard with and without RateLimit headers, the framework's own favourite, or two headers
 * that are always the same, which nothing with headers can be cheaper than.
 */
export const CONTENDERS = ['bare', 'ipguard', 'ipguard, no headers', 'favourite', 'limit'] as const

export type Contender = (typeof CONTENDERS)[number]

/** Requests of one client in a minute, for all: high enough that nobody is refused. */
export const LIMIT = 60_000

/** Makes a server that answers `ok`, and does not listen yet. */
export type CreateServer = (contender: Contender) => Promise<Server>

/** What the limit sends, as long as what a guard does. */
const HEADERS = Object.entries({
  'RateLimit-Policy': '"60000-in-60s";q=60000;w=60',
  RateLimit: '"60000-in-60s";r=59999;t=61',
})

/** All that the limit does. */
export function setHeaders(response: { setHeader(name: string, value: string): unknown }): void {
  for (const [name, value] of HEADERS) response.setHeader(name, value)
}

/** The same options for every framework: of the guard, and of the adapter. */
export function optionsOf(contender: Contender): readonly [GuardOptions<unknown>, { readonly headers: boolean }] {
  const clientIp = { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] }
  return [{ clientIp, policies: [rateLimit({ limit: LIMIT, window: '60s' })] }, { headers: contender === 'ipguard' }]
}
