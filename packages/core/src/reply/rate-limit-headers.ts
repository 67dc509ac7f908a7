import { formatDuration } from '../duration.ts'
import type { LimitState } from '../policy/decision.ts'

/**
 * `RateLimit-Policy` with every limit and `RateLimit` with the tightest (draft-ietf-httpapi-ratelimit-headers-10). Limits are named by their
 * numbers: `"60-in-60s";q=60;w=60`, so a header tells nobody what a policy is called.
 */
export function rateLimitHeaders(limits: readonly LimitState[], at: number): Record<string, string> {
  let policies = ''
  let tightest: LimitState | undefined
  for (const each of limits) {
    policies += `${policies === '' ? '' : ', '}"${nameOf(each)}";q=${each.limit};w=${Math.ceil(each.window / 1000)}`
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
  return { 'RateLimit-Policy': policies, RateLimit: `"${nameOf(tightest)}";r=${tightest.remaining};t=${seconds}` }
}

function nameOf({ limit, window }: LimitState): string {
  return `${limit}-in-${formatDuration(window)}`
}

function share({ remaining, limit }: LimitState): number {
  return limit === 0 ? 0 : remaining / limit
}
