import type { Entry } from './entry.ts'
import type { Hit } from './hit.ts'
import type { Lane } from './lanes.ts'

/** `retryIn` of a hit that is not admitted. `before`: what earlier hits of the call ask of the same counter. */
export function refusedFor(
  hit: Hit,
  lane: Lane,
  at: number,
  count: number,
  before: number,
  now: number,
  ban: Entry | undefined,
): number {
  const limit = hit.burst ?? hit.limit
  if (ban?.expiresAt !== undefined) return Math.ceil(ban.expiresAt - now)
  if (ban || hit.cost > limit) return Number.MAX_SAFE_INTEGER
  // A strike, or too many in one call: there is nothing to wait for.
  if (count === 0) return lane.counter.window
  const excess = count + before + hit.cost - Math.min(limit, lane.most)
  return Math.ceil(lane.meter.freeAt(lane.shelf, at, lane.counter, hit.limit, excess, now) - now)
}
