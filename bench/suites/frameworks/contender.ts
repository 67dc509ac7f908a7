import type { Server } from 'node:http'

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
export const HEADERS = Object.entries({
  'RateLimit-Policy': '"60000-in-60s";q=60000;w=60',
  RateLimit: '"60000-in-60s";r=59999;t=61',
})

/** The same options for every framework. */
export const CLIENT_IP = { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] } as const
export const WINDOW = '60s'
