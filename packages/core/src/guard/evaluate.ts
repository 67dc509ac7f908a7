import { customOutcome } from '../policy/custom-outcome.ts'
import type { Evidence, PolicyOutcome } from '../policy/decision.ts'
import { matches } from '../policy/matcher.ts'
import type { Outcome, Policy } from '../policy/policy.ts'
import type { Awaitable } from '../store/awaitable.ts'
import { isPromise } from '../store/awaitable.ts'
import { SITE_BAN } from '../store/ban-book.ts'
import type { Hit, HitReply } from '../store/hit.ts'
import { type Check, degrade, NONE } from './check.ts'
import { CheckContext } from './check-context.ts'
import { bannedOutcome, limitState, refusedHit } from './counting.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import type { CountFailure } from './hit-sender.ts'
import type { Root } from './root.ts'

/** `undefined`: every policy was asked and nobody objected. */
export type Verdict = PolicyOutcome | undefined

export interface EvaluatorOptions<Facts> {
  readonly root: Root<Facts>
  readonly policies: readonly Policy<Facts>[]
  /** The reply of a guard that has counted this request already. */
  readonly countedBefore: (check: Check<Facts>, hit: Hit) => HitReply | undefined
}

export interface Evaluator<Facts> {
  /** From the entries on. */
  readonly run: (check: Check<Facts>) => Awaitable<Verdict>
  /** From the policy at `from` on: the ones before it were asked by another guard. */
  readonly runFrom: (check: Check<Facts>, from: number) => Awaitable<Verdict>
}

/** The order of the steps: allow entries and leading allow policies, bans and deny entries, then the list. */
export function createEvaluator<Facts>(options: EvaluatorOptions<Facts>): Evaluator<Facts> {
  const { root, policies, countedBefore } = options
  const { replica, sender, hub, clock, deadlines } = root
  const first = policies.findIndex((policy) => policy.kind !== 'allow' || policy.mode === 'shadow')
  const leading = first < 0 ? policies.length : first

  function inShadow(policy: Policy<Facts>): boolean {
    return policy.mode === 'shadow' || (replica.mode() === 'shadow' && policy.kind !== 'allow')
  }

  function run(check: Check<Facts>): Awaitable<Verdict> {
    const { context } = check
    const { address, now } = context
    if (address === undefined || replica.table.size === 0) return runFrom(check, 0)
    const allowed = context.allowable ? replica.table.match('allow', address, now) : undefined
    if (allowed) return { action: 'allow', policy: 'entries', evidence: [{ kind: 'entry', entry: allowed }] }
    for (let i = 0; i < leading; i++) {
      const outcome = ask(check, policies[i] as Policy<Facts>, context) // inside
      // Allow policies over lists are synchronous.
      if (outcome && !isPromise(outcome)) return outcome as PolicyOutcome // `ask` has named it
    }
    const entry = replica.table.match(SITE_BAN, address, now) ?? replica.table.match('deny', address, now)
    if (entry) {
      const outcome = bannedOutcome('entries', entry, now)
      if (replica.mode() === 'enforce') return outcome
      note(check, outcome)
    }
    return runFrom(check, leading)
  }

  function runFrom(check: Check<Facts>, from: number): Awaitable<Verdict> {
    for (let i = from; i < policies.length; i++) {
      const policy = policies[i] as Policy<Facts> // inside
      const shadow = inShadow(policy)
      const context = shadow ? shadowContextOf(check) : check.context
      const outcome = ask(check, policy, context)
      if (isPromise(outcome)) return later(check, i, policy, shadow, outcome)
      if (outcome) {
        if (!shadow) return flush(check, outcome as PolicyOutcome) // `ask` has named it
        note(check, outcome as PolicyOutcome)
      }
    }
    return flush(check, undefined)
  }

  /** Collects the policy's counters and asks for its opinion; undefined also when it does not apply. */
  function ask(
    check: Check<Facts>,
    policy: Policy<Facts>,
    context: CheckContext<Facts>,
  ): Awaitable<Outcome | undefined> {
    try {
      if (policy.when !== undefined && !matches(policy.when, context, policy.kind === 'allow')) return undefined
      const ban = scopedBan(policy, context)
      if (ban) return ban
      if (policy.count) collect(check, policy, policy.count(context))
      const outcome = policy.evaluate(context)
      return outcome && !isPromise(outcome) ? named(policy, outcome) : outcome
    } catch (error) {
      const outcome = failure(check, policy, error)
      if (policy.count && policy.onError === 'local') collect(check, policy, policy.count(context, true))
      return outcome
    }
  }

  function collect(check: Check<Facts>, policy: Policy<Facts>, hits: readonly Hit[]): void {
    if (hits.length === 0) return
    check.owners =
      check.owners.length === 0 && hits.length === 1 ? [policy] : [...check.owners, ...hits.map(() => policy)]
    check.hits = check.hits.length === 0 ? hits : [...check.hits, ...hits]
  }

  /** A ban by this policy's ladder that closes only what it guards, or that only it sees. */
  function scopedBan(policy: Policy<Facts>, context: CheckContext<Facts>): PolicyOutcome | undefined {
    const counter = replica.table.bans > 0 ? policy.counter?.(context.shadow) : undefined
    if (!counter || counter.banScope === SITE_BAN || !context.address) return undefined
    const ban = replica.table.match(counter.banScope, context.address, context.now)
    return ban && bannedOutcome(policy.name, ban, context.now)
  }

  async function later(
    check: Check<Facts>,
    i: number,
    policy: Policy<Facts>,
    shadow: boolean,
    answer: Promise<Outcome | undefined>,
  ): Promise<Verdict> {
    const pending = Promise.resolve(answer).then((outcome) => outcome && named(policy, outcome))
    // What was collected goes first: a client over its limit gets that answer, and the second trip is for what comes after.
    pending.catch(() => {})
    const deadline = deadlineOf(check, deadlines.wait)
    const refused = await flush(check, undefined)
    if (refused) return refused
    const settled = await deadline.wait(pending)
    const outcome =
      'value' in settled
        ? settled.value
        : failure(check, policy, 'error' in settled ? settled.error : 'The deadline passed.')
    if (outcome && shadow) note(check, outcome)
    const verdict = (shadow ? undefined : outcome) ?? (await runFrom(check, i + 1))
    if (verdict && verdict.action !== 'allow' && !check.dry) giveBack(check)
    return verdict
  }

  /** Sends what was collected. A refusal by a counter comes before `end`, which a later policy said. */
  function flush(check: Check<Facts>, end: Verdict): Awaitable<Verdict> {
    const { hits, owners } = check
    if (hits.length === 0 || !sender) return end
    check.hits = NONE
    check.owners = NONE
    const open = hits.filter((hit) => take(check, hit) === undefined)
    if (open.length === 0) return refusals(check, hits, end)
    const { now } = check.context
    const refusing = end !== undefined && end.action !== 'allow'
    const replies = sender.send(open, now, check.dry ? 'none' : refusing ? 'refusals' : 'all', {
      deadline: () => deadlineOf(check, deadlines.store),
      onErrorOf: (hit) => (owners[hits.indexOf(hit)]?.onError as CountFailure | undefined) ?? 'local', // policies that count declare no other
      failed: (hit) => degrade(check, hit.counter.policy),
    })
    if (isPromise(replies)) return replies.then((each) => received(check, hits, open, each, end))
    return received(check, hits, open, replies, end)
  }

  function received(
    check: Check<Facts>,
    hits: readonly Hit[],
    open: readonly Hit[],
    replies: readonly HitReply[],
    end: Verdict,
  ): Verdict {
    for (let i = 0; i < open.length; i++) {
      const hit = open[i] as Hit // one reply to each hit
      const reply = replies[i] as HitReply
      check.sent.push(hit)
      check.replies.push(reply)
      if (check.dry) continue
      if (reply.strikes !== undefined) background(check, root.onStruck(hit, reply, check.context.now))
      else if (hit.exempt && !reply.admitted) root.onExempt(hit.counter.policy)
    }
    return refusals(check, hits, end)
  }

  /** A reply that is there already: this request met the same counter before. */
  function take(check: Check<Facts>, hit: Hit): HitReply | undefined {
    const reply = countedBefore(check, hit)
    if (reply) {
      check.sent.push(hit)
      check.replies.push(reply)
    }
    return reply
  }

  function refusals(check: Check<Facts>, hits: readonly Hit[], end: Verdict): Verdict {
    const { now } = check.context
    let refused: PolicyOutcome | undefined
    for (const hit of hits) {
      const reply = check.replies[check.sent.indexOf(hit)]
      if (!reply) continue
      if (!hit.counter.shadow && hit.counter.window > 0) {
        check.limits ??= []
        check.limits.push(limitState(hit, reply))
      }
      if (reply.admitted) continue
      const outcome = refusedHit(hit, reply, now)
      if (hit.counter.shadow) note(check, outcome)
      else if (!refused) refused = outcome
      else if ((outcome.retryAfter ?? 0) > (refused.retryAfter ?? 0))
        refused = { ...refused, retryAfter: outcome.retryAfter ?? 1 }
    }
    return refused ?? end
  }

  /** A refused request consumes nothing, also when an earlier trip of the same check did. */
  function giveBack(check: Check<Facts>): void {
    const refunds = check.sent.flatMap((hit, i) => {
      const reply = check.replies[i]
      return reply?.admitted && hit.cost > 0 ? [{ ...hit, cost: -hit.cost, slot: reply.slot }] : []
    })
    if (refunds.length === 0 || !sender) return
    const sent = sender.send(refunds, check.context.now, 'all', {
      deadline: () => createDeadline(deadlines.store, clock),
      onErrorOf: () => 'allow',
      failed: () => {},
    })
    if (isPromise(sent)) background(check, sent)
  }

  function failure(check: Check<Facts>, policy: Policy<Facts>, error: unknown): PolicyOutcome | undefined {
    degrade(check, policy.name)
    hub.fail('IPGUARD_POLICY_FAILED', `Policy ${JSON.stringify(policy.name)} failed.`, error)
    if (policy.onError !== 'deny') return undefined
    const evidence: Evidence[] = [{ kind: 'error', message: 'The policy failed, and its onError is deny.' }]
    return { action: 'deny', policy: policy.name, reason: 'denied', evidence }
  }

  function deadlineOf(check: Check<Facts>, ms: number): Deadline {
    if (!check.deadline) {
      check.deadline = createDeadline(ms, clock)
      check.context.deadlineSignal = check.deadline.signal
      if (check.shadowContext) check.shadowContext.deadlineSignal = check.deadline.signal
    }
    return check.deadline
  }

  function shadowContextOf(check: Check<Facts>): CheckContext<Facts> {
    const { request, facts, now, resolved, isInfrastructure } = check.context
    check.shadowContext ??= new CheckContext(request, facts, now, true, resolved, isInfrastructure)
    return check.shadowContext
  }

  return { run, runFrom }
}

/** Work that the answer does not wait for; its failures are told where they happen. */
function background(check: Pick<Check<unknown>, 'waitUntil'>, work: Promise<unknown> | undefined): void {
  const quiet = work?.catch(() => {})
  if (quiet) check.waitUntil?.(quiet)
}

function note(check: Pick<Check<unknown>, 'shadow'>, outcome: PolicyOutcome): void {
  check.shadow ??= []
  check.shadow.push(outcome)
}

/** The built-in policies speak in known words; what a custom one answers is checked. */
function named(policy: Pick<Policy, 'name' | 'kind'>, outcome: Outcome): PolicyOutcome {
  return policy.kind ? { ...outcome, policy: policy.name } : customOutcome(policy.name, outcome)
}
