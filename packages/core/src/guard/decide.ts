import type { Decision, PolicyOutcome } from '../policy/decision.ts'
import { type Check, NONE } from './check.ts'

type Findings = Pick<Check<unknown>, 'now' | 'client' | 'limits' | 'noted' | 'degraded' | 'pending'>

/** The answer, deeply frozen. `outcome` undefined: nobody objected. */
export function decide(check: Findings, outcome: PolicyOutcome | undefined, createId: () => string): Decision {
  const { now: at, client, limits, noted, degraded, pending } = check
  // Written out by shape: the plain allow is the hot path, also of who is looked up and while something is away. Nothing in it is deep.
  if (outcome === undefined && client && !noted) {
    Object.freeze(client)
    for (const limit of limits ?? NONE) Object.freeze(limit)
    const decision: { -readonly [Key in keyof Decision]: Decision[Key] } = limits
      ? { action: 'allow', at, client, limits: Object.freeze(limits) }
      : { action: 'allow', at, client }
    if (degraded) decision.degraded = Object.freeze(degraded)
    if (pending) decision.pending = Object.freeze(pending)
    return Object.freeze(decision)
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
