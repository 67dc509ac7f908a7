import type { ResolvedClient } from '../client-ip/client.ts'
import type { Decision } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { GuardRequest } from '../request.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { Check, degrade, note, type Ruling } from './check.ts'
import { createDeadline } from './deadline.ts'
import { decide } from './decide.ts'
import { createEvaluator } from './evaluate.ts'
import type { CheckInfo } from './guard.ts'
import { checkBy, recall, remember } from './memo.ts'
import type { Root } from './root.ts'
import { rulers } from './rulers.ts'

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

/**
 * Whether it asks for the same again. An application may dispatch a request anew under another method or path: that is judged by its own, and
 * what was counted is not counted again.
 */
function isSame(known: GuardRequest, { method, url, names }: GuardRequest): boolean {
  return known.method === method && known.url === url && String(known.names ?? '') === String(names ?? '')
}

/** From a request to a decision: what is known of the request, who its client is, the evaluation, the record. */
export function createChecker<Facts>(
  root: Root<Facts>,
  policies: readonly Policy<Facts>[],
  self: object,
  parent: Parent | undefined,
): Checker<Facts> {
  const { options, clock, hub, metrics, breaker, replica, resolver, observer, deadlines, createId } = root
  const { run, runFrom } = createEvaluator(root, policies)
  const onUnknownClient = options.onUnknownClient ?? 'deny'

  function check(request: GuardRequest, info: CheckInfo<Facts> = {}): Awaitable<Decision> {
    const known = recall(request)
    const mine = known && checkBy(known, self)
    if (mine?.decision && isSame(mine.request, request)) return mine.decision
    const resolved = resolver.resolve(request, info.peer)
    const warning = observer.observe(request, info.peer, resolved)
    if (warning) hub.warn(warning)
    const facts = info.facts as Facts // absent only where policies ask for none
    const checked = new Check(root, self, known, request, facts, resolved, clock.now())
    if (info.waitUntil) checked.waitUntil = (work) => keepAlive(info, work)
    remember(request, checked)
    const verdict = known && parent ? inherit(checked, parent) : start(checked)
    checked.decision = isPromise(verdict) ? verdict.then((each) => finish(checked, each)) : finish(checked, verdict)
    return checked.decision
  }

  /** Goes on where the nearest guard that this one was derived from has stopped. */
  function inherit(checked: Check<Facts>, parent: Parent): Awaitable<Ruling | Decision> {
    const base = checkBy(checked.next, parent.guard)
    if (!base?.decision) return parent.parent ? inherit(checked, parent.parent) : start(checked)
    const go = (decision: Decision): Awaitable<Ruling | Decision> => {
      if (base.decided) return decision
      checked.limits = decision.limits && [...decision.limits]
      checked.noted = decision.shadow && [...decision.shadow]
      checked.degraded = decision.degraded && [...decision.degraded]
      checked.pending = decision.pending && [...decision.pending]
      checked.found = base.found
      return runFrom(checked, parent.length)
    }
    return isPromise(base.decision) ? base.decision.then(go) : go(base.decision)
  }

  /** What the host gives may throw, as a method does that was taken off its object. */
  function keepAlive(info: CheckInfo<Facts>, work: Promise<unknown>): void {
    try {
      info.waitUntil?.(work)
    } catch (error) {
      hub.fail('IPGUARD_LISTENER_FAILED', 'waitUntil threw.', error)
    }
  }

  /** Everything up to the verdict: the entries, and with them the guard's mode; then the unknown client and the policies. */
  function start(checked: Check<Facts>): Awaitable<Ruling> {
    const loaded = replica.ready()
    if (loaded === true) return rule(checked)
    if (loaded === false || breaker.open) {
      degrade(checked, 'entries')
      return rule(checked)
    }
    checked.deadline = createDeadline(deadlines.store, clock)
    return checked.deadline.wait(loaded).then((settled) => {
      if ('late' in settled) replica.late()
      if (!replica.loaded()) degrade(checked, 'entries')
      return rule(checked)
    })
  }

  function rule(checked: Check<Facts>): Awaitable<Ruling> {
    if (!checked.resolved && onUnknownClient === 'deny') {
      const outcome = {
        action: 'deny',
        policy: 'client',
        reason: 'unknown-client',
        evidence: [{ kind: 'no-client' }],
      } as const
      if (replica.mode() === 'enforce') return outcome
      note(checked, outcome)
    }
    return run(checked)
  }

  function finish(checked: Check<Facts>, verdict: Ruling | Decision): Decision {
    checked.deadline?.end()
    if (verdict !== undefined) checked.decided = true
    // A base guard's own decision, which it has told of already.
    const decision = verdict && 'at' in verdict ? verdict : decide(checked, verdict, createId)
    checked.decision = decision
    const ruler = verdict && rulers.get(verdict)
    if (ruler) rulers.set(decision, ruler)
    if (decision !== verdict && !checked.dry) {
      metrics.count(decision)
      if (hub.wants('decision')) hub.emit('decision', decision)
    }
    return decision
  }

  /** What `check` would say, changing nothing. */
  async function foresee(request: GuardRequest, resolved: ResolvedClient, facts: Facts): Promise<Decision> {
    const checked = new Check(root, self, undefined, request, facts, resolved, clock.now())
    checked.dry = true
    return finish(checked, await start(checked))
  }

  return { check, foresee }
}
