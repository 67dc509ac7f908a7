import { findProgram } from './find-program.ts'
import { launchRedis, type RedisServer } from './launch-redis.ts'

export interface RedisOptions {
  /** Added to the defaults, and stronger than these: `['--appendonly', 'yes']`. */
  readonly args?: readonly string[] | undefined
  /** @default a free one; one that is given is tried once */
  readonly port?: number | undefined
  /** An existing folder for its files, which stays. @default a temporary one, removed by `stop` */
  readonly folder?: string | undefined
  /** @default 'redis' */
  readonly server?: 'redis' | 'valkey' | undefined
}

const DEFAULTS = ['--save', '', '--appendonly', 'no', '--protected-mode', 'no', '--bind', '127.0.0.1']

/**
 * A real Redis or Valkey on a free port of 127.0.0.1, without root, which keeps nothing unless the arguments say so.
 *
 * Answers when it takes commands. It ends with this process at the latest.
 *
 * @example
 * const redis = await startRedis({ args: ['--maxmemory', '2mb'] })
 * redis.freeze()
 * redis.thaw()
 * await redis.stop()
 */
export function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { args = [], port, folder, server = 'redis' } = options
  return launchRedis({
    program: findProgram(`${server}-server`),
    args,
    port,
    folder,
    line: (place, given) => ['--port', String(place.port), '--dir', place.folder, ...DEFAULTS, ...given],
  })
}
