import type { Server } from 'node:http'

/** What stands in front of the handler: nothing, ipguard with and without RateLimit headers, or the framework's own favourite. */
export const CONTENDERS = ['bare', 'ipguard', 'ipguard, no headers', 'favourite'] as const

export type Contender = (typeof CONTENDERS)[number]

/** Requests of one client in a minute, for all: high enough that nobody is refused. */
export const LIMIT = 60_000

/** Makes a server that answers `ok`, and does not listen yet. */
export type CreateServer = (contender: Contender) => Promise<Server>

/** The same options for every framework. */
export const CLIENT_IP = { header: 'x-forwarded-for', trust: ['127.0.0.1/32'] } as const
export const WINDOW = '60s'
