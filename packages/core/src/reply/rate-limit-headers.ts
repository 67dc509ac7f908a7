import { formatDuration } from '../duration.ts'
import type { LimitState } from '../policy/decision.ts'

/** What a limit is called, and its entry in `RateLimit-Policy`. */
interface Written {
  readonly name: string
  readonly policy: string
}

/** By window, then limit: the text of a limit is the same for every request. */
const written = new Map<number, Map<number, Written>>()
const MOST = 256

/**
 * `RateLimit-Policy` with every limit and `RateLimit` with the tightest (draft-ietf-httpapi-ratelimit-headers-10). Limits are named by their
 * numbers: `"60-in-60s";q=60;w=60`, so a header tells nobody what a policy is called.
 */
export function rateLimitHeaders(limits: readonly LimitState[], at: number): Record<string, string> {
  let policies = ''
  let tightest: LimitState | undefined
  for (const each of limits) {
    const { policy } = write(each)
    policies = policies === '' ? policy : `${policies}, ${policy}`
    // The one that is used up first; of equal ones, the one that takes longer to recover.
    if (
      !tightest ||
      share(each) < share(tightest) ||
      (share(each) === share(tightest) && each.resetAt > tightest.resetAt)
    )
      tightest = each
  }
  if (!tightest) return {}
  const seconds = Math.max(1, Math.ceil((tightest.resetAt - at) / 1000))
  return { 'RateLimit-Policy': policies, RateLimit: `${write(tightest).name};r=${tightest.remaining};t=${seconds}` }
}

function write({ limit, window }: LimitState): Written {
  const known = written.get(window)?.get(limit)
  if (known) return known
  const name = `"${limit}-in-${formatDuration(window)}"`
  const fresh = { name, policy: `${name};q=${limit};w=${Math.ceil(window / 1000)}` }
  const ofWindow = written.get(window) ?? new Map<number, Written>()
  // Limits and windows may be a function's: what is kept is bounded.
  if (ofWindow.size >= MOST) ofWindow.clear()
  if (written.size >= MOST) written.clear()
  written.set(window, ofWindow.set(limit, fresh))
  return fresh
}

function share({ remaining, limit }: LimitState): number {
  return limit === 0 ? 0 : remaining / limit
}
