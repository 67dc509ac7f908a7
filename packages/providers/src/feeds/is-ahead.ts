import type { Clock } from '@ipguard/core'

/** What clocks may differ by. */
const TOLERANCE = 86_400_000

/** Whether a date of others, in epoch ms, lies so far ahead that it is a mistake. */
export function isAhead(date: number, clock: Clock): boolean {
  return date > clock.now() + TOLERANCE
}
