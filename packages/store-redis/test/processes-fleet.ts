import { type Fleet as AnyFleet, startFleet as startAny } from '@ipguard/tools'
import type { Orders } from './processes.child.ts'

export type Fleet = AnyFleet<Orders>

/** Processes that use the Redis on this port. */
export function startFleet(size: number, port: number): Promise<Fleet> {
  return startAny<Orders>(new URL('processes.child.ts', import.meta.url), size, [String(port)])
}
