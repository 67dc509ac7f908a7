import type { Decision, PolicyOutcome } from '../policy/decision.ts'
import type { Check } from './check.ts'

type Findings = Pick<Check<unknown>, 'now' | 'client' | 'limits' | 'noted' | 'degraded'>

/** The frozen answer, deeply so but for the plain allow. `outcome` undefined: nobody objected. */
export function decide(check: Findings, outcome: PolicyOutcome | undefined, createId: () => string): Decision {
  const { now: at, client, limits, noted, degraded } = check
  // Written out by shape: the plain allow is the hot path, and spreads cost more than the rest of it. So does freezing (50 ns an object):
  // here only the decision itself is frozen, whose parts are this request's own.
  if (outcome === undefined && client && !noted && !degraded) {
    return limits
      ? Object.freeze({ action: 'allow', at, client, limits })
      : Object.freeze({ action: 'allow', at, client })
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
  })
}

function freezeAll<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const each of Object.values(value)) freezeAll(each)
  return Object.freeze(value)
}
