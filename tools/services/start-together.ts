import type { RedisServer } from './launch-redis.ts'

export interface Together {
  readonly servers: readonly RedisServer[]
  readonly stop: () => Promise<void>
}

/** Starts several servers at once; if one fails, none is left behind. */
export async function startTogether(starters: readonly (() => Promise<RedisServer>)[]): Promise<Together> {
  const results = await Promise.allSettled(starters.map((start) => start()))
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return { servers, stop }
}
