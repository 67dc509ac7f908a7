import type { Checker } from '../harness/concurrent.ts'
import type { ClientName } from '../harness/redis-connections.ts'

/** A checker, whose it is and which client it has. */
export interface Contender extends Checker {
  readonly product: string
  readonly client: ClientName
}

export function contender(product: string, client: ClientName, check: Contender['check']): Contender {
  return { name: `${product}, ${client}`, product, client, check }
}

/** A prefix of its own, so that no contender counts with another. */
export function prefixOf(product: string, client: ClientName): string {
  return `${product}:${client}`.replaceAll(/[^\w:]+/g, '-')
}

/** Never reached: every check is admitted. */
export const LIMIT = 60_000
/** Milliseconds. */
export const WINDOW = 60_000
