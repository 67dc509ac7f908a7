import type { Decision, PolicyOutcome } from '../policy/decision.ts'
import type { Check } from './check.ts'

type Findings = Pick<Check<unknown>, 'now' | 'client' | 'limits' | 'noted' | 'degraded' | 'pending'>

/** The answer, deeply frozen. `outcome` undefined: nobody objected. */
export function decide(check: Findings, outcome: PolicyOutcome | undefined, createId: () => string): Decision {
  const { now: at, client, limits, noted, degraded, pending } = check
  // Written out by shape: the plain allow is the hot path, and needs none of the spreads below.
  if (outcome === undefined && client && !noted && !degraded && !pending) {
    Object.freeze(client)
    if (!limits) return Object.freeze({ action: 'allow', at, client })
    for (const limit of limits) Object.freeze(limit)
    Object.freeze(limits)
    return Object.freeze({ action: 'allow', at, client, limits })
  }
  // The plain allow of who is looked up, or while something is away: nothing here is deep.
  if (outcome === undefined && client && !noted) {
    Object.freeze(client)
    for (const limit of limits ?? []) Object.freeze(limit)
    return Object.freeze({
      action: 'allow',
      at,
      client,
      ...(limits && { limits: Object.freeze(limits) }),
      ...(degraded && { degraded: Object.freeze(degraded) }),
      ...(pending && { pending: Object.freeze(pending) }),
    })
  }
  return freezeAll({
    action: 'allow',
    ...outcome,
    at,
    ...(outcome && outcome.action !== 'allow' && { id: createId() }),
    ...(client && { client }),
    ...(limits && { limits }),
    ...(noted && { shadow: noted }),
    ...(degraded && { degraded }),
    ...(pending && { pending }),
  })
}

function freezeAll<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const each of Object.values(value)) freezeAll(each)
  return Object.freeze(value)
}
