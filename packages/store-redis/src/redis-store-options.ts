import { checkOptions, invalidOption } from '@ipguard/core'
import type { RedisClient } from './redis-client.ts'

/** The options of `redisStore`: your client, and how the store uses it. */
export interface RedisStoreOptions {
  /** A connected client of node-redis 5 or 6, or of ioredis 5 or 6: single, Sentinel or Cluster. The store never connects, configures or closes it. */
  readonly client: RedisClient
  /** A second connection, that hears at once of bans made elsewhere. @default none: asked for every 250 ms */
  readonly subscriber?: RedisClient
  /** What all keys begin with; guards with the same prefix share everything. @default 'ipguard' */
  readonly prefix?: string
  /** For tests: the time by which everything counts and ends. @default the server's own */
  readonly clock?: { now(): number }
}

const KNOWN = ['client', 'subscriber', 'prefix', 'clock'] as const

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` */
export function checkRedisStoreOptions(options: RedisStoreOptions): void {
  checkOptions(options, KNOWN, 'redisStore')
  const { prefix, clock } = options
  // Braces would choose the slot, and the rest would be a pattern to KEYS and SCAN.
  if (prefix !== undefined && (typeof prefix !== 'string' || !/^[\w:.-]{1,64}$/.test(prefix)))
    throw invalidOption('redisStore.prefix', prefix, 'up to 64 letters, digits, "_", ":", "." or "-", like \'shop\'')
  if (clock !== undefined && typeof clock?.now !== 'function')
    throw invalidOption('redisStore.clock', clock, 'an object with now(), which answers epoch ms')
}
