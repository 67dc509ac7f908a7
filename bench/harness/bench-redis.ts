import { availableParallelism } from 'node:os'
import { startRedis } from '@ipguard/tools'
import { pin } from './pin.ts'

export interface BenchRedis {
  readonly port: number
  /** Where the two processes run, for the notes of a suite. */
  readonly placed: string
  readonly stop: () => Promise<void>
}

/**
 * A real redis-server of its own. With two cores or more and `taskset` it has the first one and this process the second, as if they were
 * two machines: else each takes from the other, and what a client costs is not seen.
 */
export async function startBenchRedis(): Promise<BenchRedis> {
  const { pid, port, stop } = await startRedis()
  const pinned = availableParallelism() > 1 && pin(pid, 0) && pin(process.pid, 1)
  return {
    port,
    placed: pinned
      ? 'the server on core 0, the client on core 1'
      : 'server and client on whatever core they get, as there is only one or no taskset',
    stop,
  }
}
