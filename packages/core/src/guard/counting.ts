import type { Evidence, LimitState, PolicyOutcome } from '../policy/decision.ts'
import type { Hit, HitReply } from '../store/hit.ts'

/** How a limit stands, for the decision and its headers. */
export function limitState(hit: Hit, reply: HitReply, now: number): LimitState {
  return {
    policy: hit.counter.policy,
    limit: hit.limit,
    window: hit.counter.window,
    remaining: reply.remaining,
    resetAt: now + reply.resetIn,
  }
}

/** What a hit that was not admitted comes to. */
export function refusedHit(hit: Hit, reply: HitReply, now: number): PolicyOutcome {
  const { policy } = hit.counter
  if (reply.ban) return bannedOutcome(policy, reply.ban, now)
  const { banned } = reply
  const until = banned?.expiresAt ?? (reply.retryIn < Number.MAX_SAFE_INTEGER ? now + reply.retryIn : undefined)
  const evidence: Evidence[] = [
    { kind: 'limit', limit: hit.limit, window: hit.counter.window, cost: hit.cost, remaining: reply.remaining },
  ]
  if (banned?.tier !== undefined) evidence.push({ kind: 'strikes', strikes: reply.strikes ?? 1, tier: banned.tier })
  return {
    action: 'limit',
    policy,
    reason: 'rate-limited',
    ...(until !== undefined && { retryAfter: secondsUntil(until, now) }),
    ...(banned?.expiresAt !== undefined && { expires: banned.expiresAt }),
    ...(banned?.tier !== undefined && { tier: banned.tier }),
    evidence,
  }
}

/** A ban or deny entry as an outcome. */
export function bannedOutcome(policy: string, entry: NonNullable<HitReply['ban']>, now: number): PolicyOutcome {
  return {
    action: 'deny',
    policy,
    reason: entry.kind === 'ban' ? 'banned' : 'denied',
    ...(entry.expiresAt !== undefined && { retryAfter: secondsUntil(entry.expiresAt, now), expires: entry.expiresAt }),
    ...(entry.tier !== undefined && { tier: entry.tier }),
    evidence: [{ kind: 'entry', entry }],
  }
}

/** Whole seconds after which a request passes; at least 1. */
function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil((time - now) / 1000))
}
