import type { ResolvedClient } from '../client-ip/client.ts'
import type { Decision } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { GuardRequest } from '../request.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { type Check, createCheck, decide, degrade } from './check.ts'
import { CheckContext } from './check-context.ts'
import { createDeadline } from './deadline.ts'
import { createEvaluator, type Verdict } from './evaluate.ts'
import type { CheckInfo } from './guard.ts'
import { countedBefore, type Memo, recall, remember } from './memo.ts'
import type { Root } from './root.ts'

/** A guard as those derived from it by `with` know it. */
export interface Parent {
  readonly guard: object
  /** How many policies it has: the first ones of the derived guard's. */
  readonly length: number
  readonly parent: Parent | undefined
}

export interface Checker<Facts> {
  readonly check: (request: GuardRequest, info?: CheckInfo<Facts>) => Awaitable<Decision>
  /** What `check` would say, changing nothing. */
  readonly foresee: (request: GuardRequest, resolved: ResolvedClient, facts: Facts) => Promise<Decision>
}

/** From a request to a decision: what is known of the request, who its client is, the evaluation, the record. */
export function createChecker<Facts>(
  root: Root<Facts>,
  policies: readonly Policy<Facts>[],
  self: object,
  parent: Parent | undefined,
): Checker<Facts> {
  const { options, store, clock, hub, metrics, replica, resolver, observer, deadlines, createId } = root
  const { run, runFrom } = createEvaluator<Facts>({
    root,
    policies,
    countedBefore: ({ context, dry }, hit) => {
      const memo = dry ? undefined : recall(context.request)
      // The newest one is this check's own.
      return memo?.next && countedBefore(memo.next, store, hit)
    },
  })
  const onUnknownClient = options.onUnknownClient ?? 'deny'

  function contextOf(
    request: GuardRequest,
    resolved: ResolvedClient | undefined,
    facts: Facts,
    now: number,
  ): CheckContext<Facts> {
    return new CheckContext(request, facts, now, false, resolved, root.isInfrastructure)
  }

  function check(request: GuardRequest, info: CheckInfo<Facts> = {}): Awaitable<Decision> {
    const known = recall(request)
    const mine = find(known, self)
    if (mine?.decision) return mine.decision
    const resolved = resolver.resolve(request, info.peer)
    const warning = observer.observe(request, info.peer, resolved)
    if (warning) hub.warn(warning)
    const now = clock.now()
    const checked = createCheck(contextOf(request, resolved, info.facts as Facts, now), false, info.waitUntil) // absent only where policies ask for none
    const memo: Memo = {
      guard: self,
      store,
      decision: undefined,
      decided: false,
      hits: checked.sent,
      replies: checked.replies,
      next: known,
    }
    remember(request, memo)
    const inherited = heir(known, parent)
    const verdict = start(checked, inherited)
    memo.decision = isPromise(verdict)
      ? verdict.then((each) => {
          memo.decision = finish(checked, memo, each)
          return memo.decision
        })
      : finish(checked, memo, verdict)
    return memo.decision
  }

  /** Everything up to the verdict: what a base guard has found, the unknown client, the entries. */
  function start(
    checked: Check<Facts>,
    inherited: { readonly memo: Memo; readonly length: number } | undefined,
  ): Awaitable<Verdict | Decision> {
    if (inherited) {
      const { memo, length } = inherited
      const go = (base: Decision): Awaitable<Verdict | Decision> => {
        if (memo.decided) return base
        checked.limits = base.limits && [...base.limits]
        checked.shadow = base.shadow && [...base.shadow]
        checked.degraded = base.degraded && [...base.degraded]
        return runFrom(checked, length)
      }
      return isPromise(memo.decision) ? memo.decision.then(go) : memo.decision ? go(memo.decision) : runFrom(checked, 0)
    }
    if (!checked.context.resolved && onUnknownClient === 'deny') {
      const outcome: Verdict = {
        action: 'deny',
        policy: 'client',
        reason: 'unknown-client',
        evidence: [{ kind: 'no-client' }],
      }
      if (replica.mode() === 'enforce') return outcome
      checked.shadow = [outcome]
    }
    const loaded = replica.ready(checked.context.now)
    if (loaded === true) return run(checked)
    checked.deadline = createDeadline(deadlines.store, clock)
    return checked.deadline.wait(loaded).then((settled) => {
      if ('late' in settled || replica.ready(checked.context.now) !== true) degrade(checked, 'entries')
      return run(checked)
    })
  }

  function finish(checked: Check<Facts>, memo: Memo, verdict: Verdict | Decision): Decision {
    checked.deadline?.end()
    memo.decided = verdict !== undefined
    const decision = verdict && 'at' in verdict ? verdict : decide(checked, verdict, createId)
    if (!checked.dry && decision !== verdict) {
      metrics.count(decision)
      if (hub.wants('decision')) hub.emit('decision', decision)
    }
    return decision
  }

  /** What `check` would say, changing nothing. */
  async function foresee(request: GuardRequest, resolved: ResolvedClient, facts: Facts): Promise<Decision> {
    const checked = createCheck(contextOf(request, resolved, facts, clock.now()), true)
    const verdict = await start(checked, undefined)
    checked.deadline?.end()
    return verdict && 'at' in verdict ? verdict : decide(checked, verdict, createId)
  }

  return { check, foresee }
}

function find(memo: Memo | undefined, guard: object): Memo | undefined {
  let each = memo
  while (each && each.guard !== guard) each = each.next
  return each
}

/** The findings of the nearest guard that this one was derived from, and how many policies that one has. */
function heir(
  memo: Memo | undefined,
  parent: Parent | undefined,
): { readonly memo: Memo; readonly length: number } | undefined {
  for (let each = parent; each && memo; each = each.parent) {
    const found = find(memo, each.guard)
    if (found) return { memo: found, length: each.length }
  }
  return undefined
}
