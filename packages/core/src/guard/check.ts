import type { Decision, LimitState, PolicyOutcome } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { Hit, HitReply } from '../store/hit.ts'
import type { CheckContext } from './check-context.ts'
import type { Deadline } from './deadline.ts'

/** One check on its way through the policies. */
export interface Check<Facts> {
  readonly context: CheckContext<Facts>
  /** The same for policies in shadow; made when the first one is met. */
  shadowContext: CheckContext<Facts> | undefined
  /** Nothing may change: `status` asks what would be. */
  readonly dry: boolean
  /** Counters collected and not sent yet, with the policies that want them. */
  hits: readonly Hit[]
  owners: readonly Policy<Facts>[]
  /** What was counted, for the request's memo. */
  readonly sent: Hit[]
  readonly replies: HitReply[]
  limits: LimitState[] | undefined
  shadow: PolicyOutcome[] | undefined
  degraded: string[] | undefined
  deadline: Deadline | undefined
  /** Keeps background work alive, where the platform has such a thing. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
}

export function createCheck<Facts>(
  context: CheckContext<Facts>,
  dry: boolean,
  waitUntil?: (work: Promise<unknown>) => void,
): Check<Facts> {
  return {
    context,
    shadowContext: undefined,
    dry,
    hits: NONE,
    owners: NONE,
    sent: [],
    replies: [],
    limits: undefined,
    shadow: undefined,
    degraded: undefined,
    deadline: undefined,
    waitUntil,
  }
}

export const NONE: readonly never[] = Object.freeze([])

export function degrade(check: Pick<Check<unknown>, 'degraded'>, part: string): void {
  check.degraded ??= []
  if (!check.degraded.includes(part)) check.degraded.push(part)
}

type Findings = Pick<Check<unknown>, 'context' | 'limits' | 'shadow' | 'degraded'>

/** The frozen answer. `outcome` undefined: nobody objected. */
export function decide(check: Findings, outcome: PolicyOutcome | undefined, createId: () => string): Decision {
  const { context, limits, shadow, degraded } = check
  const client = context.client
  // Written out by shape: the plain allow is the hot path, and spreads cost more than the rest of it.
  let decision: Decision
  if (outcome === undefined) {
    if (client && limits && !shadow && !degraded) decision = { action: 'allow', at: context.now, client, limits }
    else if (client && !limits && !shadow && !degraded) decision = { action: 'allow', at: context.now, client }
    else decision = { action: 'allow', at: context.now, ...rest(check) }
  } else {
    decision = {
      ...outcome,
      at: context.now,
      ...(outcome.action === 'allow' ? {} : { id: createId() }),
      ...rest(check),
    }
  }
  if (limits) {
    for (const limit of limits) Object.freeze(limit)
    Object.freeze(limits)
  }
  if (client) Object.freeze(client)
  if (outcome) freezeAll(outcome.evidence)
  if (shadow) freezeAll(shadow)
  if (degraded) Object.freeze(degraded)
  return Object.freeze(decision)
}

function rest({ context, limits, shadow, degraded }: Findings): Partial<Decision> {
  return {
    ...(context.client && { client: context.client }),
    ...(limits && { limits }),
    ...(shadow && { shadow }),
    ...(degraded && { degraded }),
  }
}

function freezeAll(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const each of Object.values(value)) freezeAll(each)
}
