import { IpGuardError } from '../errors.ts'
import { customOutcome } from '../policy/custom-outcome.ts'
import type { PolicyOutcome } from '../policy/decision.ts'
import { matches } from '../policy/matcher.ts'
import type { Outcome, Policy } from '../policy/policy.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { SITE_BAN } from '../store/ban-book.ts'
import { type Entry, entryScope, isLive } from '../store/entry.ts'
import { laterFirst } from '../store/entry-table.ts'
import type { Hit, HitCommit, HitReply } from '../store/hit.ts'
import { type Check, degrade, NONE, note, shadowOf, waitingDeadline } from './check.ts'
import { bannedOutcome, limitState, refusedHit } from './counting.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import type { CountFailure, Fallback } from './hit-sender.ts'
import { countedBefore } from './memo.ts'
import type { Striker } from './reports.ts'
import type { Root } from './root.ts'
import { rulers } from './rulers.ts'

/** `undefined`: every policy was asked and nobody objected. */
export type Ruling = PolicyOutcome | undefined

export interface Evaluator<Facts> {
  /** From the entries on. */
  readonly run: (check: Check<Facts>) => Awaitable<Ruling>
  /** From the policy at `from` on: the ones before it were asked by another guard. */
  readonly runFrom: (check: Check<Facts>, from: number) => Awaitable<Ruling>
}

/** The order of the steps: allow entries and leading allow policies, bans and deny entries, then the list. */
export function createEvaluator<Facts>(root: Root<Facts>, policies: readonly Policy<Facts>[]): Evaluator<Facts> {
  const { replica, breaker, sender, store, hub, clock, deadlines } = root
  const { table, leftOut } = replica
  const first = policies.findIndex((policy) => policy.kind !== 'allow' || policy.mode === 'shadow')
  const leading = first < 0 ? policies.length : first
  const changesReplies = policies.some(({ onRefused }) => onRefused)

  function run(check: Check<Facts>): Awaitable<Ruling> {
    const { address, now } = check
    if (address === undefined || (table.size === 0 && leftOut.size === 0)) return runFrom(check, 0)
    const allowed = check.allowable ? table.match('allow', address, now) : undefined
    if (allowed) return { action: 'allow', policy: 'entries', evidence: [{ kind: 'entry', entry: allowed }] }
    for (let i = 0; i < leading; i++) {
      const outcome = ask(check, policies[i] as Policy<Facts>, check) // inside
      // Allow policies over lists are synchronous.
      if (outcome && !isPromise(outcome)) return outcome
    }
    const entry = table.match(SITE_BAN, address, now) ?? table.match('deny', address, now)
    const ids = entry || leftOut.size === 0 ? NONE : leftOut.ids(address)
    if (ids.length === 0 || !sender) return closed(check, entry)
    const found = sender.find(ids, () => deadlineOf(check, deadlines.store))
    return isPromise(found) ? found.then((each) => closedBy(check, each)) : closedBy(check, found)
  }

  /** Goes on with what the store has found, for a copy that has no room for it. */
  function closedBy(check: Check<Facts>, found: readonly Entry[] | undefined): Awaitable<Ruling> {
    if (!found) degrade(check, 'entries')
    check.found = found?.filter((each) => isLive(each, check.now)).sort(laterFirst)
    return closed(check, foundIn(check, SITE_BAN))
  }

  function closed(check: Check<Facts>, entry: Entry | undefined): Awaitable<Ruling> {
    if (entry) {
      const outcome = bannedOutcome('entries', entry, check.now)
      if (replica.mode() === 'enforce') return outcome
      note(check, outcome)
    }
    return runFrom(check, leading)
  }

  function runFrom(check: Check<Facts>, from: number): Awaitable<Ruling> {
    const inShadow = replica.mode() === 'shadow'
    for (let i = from; i < policies.length; i++) {
      const policy = policies[i] as Policy<Facts> // inside
      const shadow = policy.mode === 'shadow' || (inShadow && policy.kind !== 'allow')
      const outcome = ask(check, policy, shadow ? shadowOf(check) : check)
      if (outcome === undefined) continue
      if (isPromise(outcome)) return later(check, i, policy, shadow, outcome)
      if (!shadow) return flush(check, ruledBy(outcome, policy))
      note(check, outcome)
    }
    return flush(check, undefined)
  }

  /** Collects the policy's counters and asks for its opinion; undefined also when it does not apply. */
  function ask(check: Check<Facts>, policy: Policy<Facts>, context: Check<Facts>): Awaitable<Ruling> {
    try {
      if (policy.when !== undefined && !matches(policy.when, context, policy.kind === 'allow')) return undefined
      if (policy.count) {
        const ban = scopedBan(policy, context, check)
        if (ban) return ban
        collect(check, policy.count(context))
        if (policy.kind === 'limit') return undefined
      }
      const outcome = policy.evaluate(context)
      if (!outcome) return undefined
      if (!isPromise(outcome)) return named(policy, outcome)
      return Promise.resolve(outcome).then((each) => (each ? named(policy, each) : undefined))
    } catch (error) {
      const outcome = failure(check, policy, error)
      return policy.count && policy.onError === 'local' ? countAnyway(check, policy, context) : outcome
    }
  }

  /** By the client, with the limit known last; refused while there is none. */
  function countAnyway(check: Check<Facts>, policy: Policy<Facts>, context: Check<Facts>): Ruling {
    try {
      collect(check, policy.count?.(context, true) ?? NONE)
      return undefined
    } catch {
      return failedOutcome(policy)
    }
  }

  function collect(check: Check<Facts>, hits: readonly Hit[]): void {
    check.hits = check.hits.length === 0 ? hits : [...check.hits, ...hits]
  }

  /** A ban by this policy's ladder that closes only what it guards, or that only it sees. */
  function scopedBan(policy: Policy<Facts>, { shadow, address, now }: Check<Facts>, check: Check<Facts>): Ruling {
    const counter = table.bans > 0 || check.found ? policy.counter?.(shadow) : undefined
    if (!counter || counter.banScope === SITE_BAN || !address) return undefined
    const ban = table.match(counter.banScope, address, now) ?? foundIn(check, counter.banScope)
    return ban && bannedOutcome(policy.name, ban, now)
  }

  async function later(
    check: Check<Facts>,
    i: number,
    policy: Policy<Facts>,
    shadow: boolean,
    pending: Promise<Ruling>,
  ): Promise<Ruling> {
    // What was collected goes first: a client over its limit gets that answer, and the second trip is for what comes after.
    pending.catch(() => {})
    const deadline = waitingDeadline(check)
    const refused = await flush(check, undefined)
    if (refused) return refused
    const settled = await deadline.wait(pending)
    const outcome = 'value' in settled ? settled.value : unsettled(check, policy, shadow, settled)
    if (outcome && shadow) note(check, outcome)
    const verdict = outcome && !shadow ? ruledBy(outcome, policy) : await runFrom(check, i + 1)
    if (verdict && verdict.action !== 'allow' && !check.dry) giveBack(check)
    return verdict
  }

  function unsettled(
    check: Check<Facts>,
    policy: Policy<Facts>,
    shadow: boolean,
    settled: { readonly error: unknown } | { readonly late: true },
  ): Ruling {
    if ('error' in settled) return failure(check, policy, settled.error)
    if (!policy.late) return failure(check, policy, LATE)
    const outcome = policy.late(shadow ? shadowOf(check) : check)
    return outcome && named(policy, outcome)
  }

  /** Sends what was collected. A refusal by a counter comes before `end`, which a later policy said. */
  function flush(check: Check<Facts>, end: Ruling): Awaitable<Ruling> {
    const { hits, now } = check
    if (hits.length === 0 || !sender || !store) return end
    check.hits = NONE
    if (check.next && !check.dry) return flushRest(check, hits, end)
    const commit: HitCommit = check.dry ? 'none' : end === undefined || end.action === 'allow' ? 'all' : 'refusals'
    if (!breaker.calm) return send(check, hits, commit, end)
    let replies: Awaitable<readonly HitReply[]>
    try {
      replies = store.hit(hits, { now, commit })
    } catch (error) {
      return settle(check, hits, sender.fall(hits, now, commit, fallbackOf(check), error), end, 'elsewhere')
    }
    if (!isPromise(replies)) return settle(check, hits, replies, end, commit)
    const fallback = fallbackOf(check)
    return sender
      .wait(replies, hits, now, commit, fallback)
      .then((each) => settle(check, hits, each, end, fallback.taken ? 'elsewhere' : commit))
  }

  /** Another guard has seen this request: what it has counted on this store is not counted again. */
  function flushRest(check: Check<Facts>, hits: readonly Hit[], end: Ruling): Awaitable<Ruling> {
    const known = hits.filter((hit) => countedBefore(check, hit))
    const answered = settle(
      check,
      known,
      known.map((hit) => countedBefore(check, hit) as HitReply),
      end,
      'before',
    ) // they have one
    if (known.length === hits.length || answered !== end) return answered
    const open = hits.filter((hit) => !known.includes(hit))
    const commit: HitCommit = end === undefined || end.action === 'allow' ? 'all' : 'refusals'
    return send(check, open, commit, end)
  }

  function send(check: Check<Facts>, hits: readonly Hit[], commit: HitCommit, end: Ruling): Awaitable<Ruling> {
    const fallback = fallbackOf(check)
    const replies = sender?.send(hits, check.now, commit, fallback) ?? NONE
    const counted = (): Counted => (fallback.taken ? 'elsewhere' : commit)
    return isPromise(replies)
      ? replies.then((each) => settle(check, hits, each, end, counted()))
      : settle(check, hits, replies, end, counted())
  }

  /** Takes the replies down, and says what they come to: the first refusal, with the longest wait of all. */
  function settle(
    check: Check<Facts>,
    hits: readonly Hit[],
    replies: readonly HitReply[],
    end: Ruling,
    counted: Counted,
  ): Ruling {
    const { now } = check
    if (counted !== 'before') {
      check.sent = check.sent.length === 0 ? hits : [...check.sent, ...hits]
      check.replies = check.replies.length === 0 ? replies : [...check.replies, ...replies]
    }
    // What the store consumes: all hits or none; those in shadow only when none of either kind is refused.
    let consumed = counted === 'all'
    let shadows = consumed
    let refused: PolicyOutcome | undefined
    let by: Hit | undefined
    for (let i = 0; i < hits.length; i++) {
      const hit = hits[i] as Hit // one reply to each hit
      const reply = replies[i] as HitReply
      if (!hit.counter.shadow && hit.counter.window > 0) {
        if (check.limits) check.limits.push(limitState(hit, reply, now))
        else check.limits = [limitState(hit, reply, now)]
      }
      if (!check.dry && reply.strikes !== undefined && counted !== 'before')
        background(check, root.onStruck(hit, reply, now, strikerOf(check)))
      if (reply.admitted) continue
      shadows = false
      if (!hit.counter.shadow) consumed = false
      // One that the copy did not know: it costs no further trip.
      if (reply.ban) replica.learn(reply.ban, now)
      if (hit.exempt && !check.dry) root.onExempt(hit.counter.policy)
      const outcome = refusedHit(hit, reply, now)
      if (hit.counter.shadow) note(check, outcome)
      else if (!refused) {
        refused = outcome
        by = hit
      } else if ((outcome.retryAfter ?? 0) > (refused.retryAfter ?? 0)) refused = alsoRefused(refused, outcome)
    }
    if (consumed) {
      const own = shadows ? hits : hits.filter(({ counter }) => !counter.shadow)
      check.consumed = check.consumed.length === 0 ? own : [...check.consumed, ...own]
    }
    return refused ? ruledBy(refused, by && policyOf(by)) : end
  }

  function policyOf({ counter }: Hit): Policy<Facts> | undefined {
    return policies.find((policy) => policy.count && policy.counter?.(counter.shadow).id === counter.id)
  }

  /** Two policies may have one name: what changes the reply is asked of the one that has refused. */
  function ruledBy(outcome: PolicyOutcome, policy: Policy<Facts> | undefined): PolicyOutcome {
    if (changesReplies && policy) rulers.set(outcome, policy)
    return outcome
  }

  function fallbackOf(check: Check<Facts>): Fallback & { readonly taken: boolean } {
    const fallback = {
      /** The store did not count. */
      taken: false,
      deadline: () => deadlineOf(check, deadlines.store),
      onErrorOf: (hit: Hit) => (policyOf(hit)?.onError as CountFailure | undefined) ?? 'local', // policies that count declare no other
      failed(hit: Hit) {
        fallback.taken = true
        degrade(check, hit.counter.policy)
      },
      striker: () => strikerOf(check),
    }
    return fallback
  }

  function strikerOf({ resolved, waitUntil }: Check<Facts>): Striker | undefined {
    return resolved && { ...resolved.client, address: resolved.address, policies, waitUntil }
  }

  /** A refused request consumes nothing, also when an earlier trip of the same check did. */
  function giveBack(check: Check<Facts>): void {
    const back = refunds(check)
    check.consumed = NONE
    if (back.length === 0 || !sender) return
    const sent = sender.sendAside(back, check.now, 'all', 'allow')
    if (isPromise(sent)) background(check, sent)
  }

  function failure(check: Check<Facts>, policy: Policy<Facts>, error: unknown): Ruling {
    degrade(check, policy.name)
    const code = error === LATE ? LATE.code : 'IPGUARD_POLICY_FAILED'
    hub.fail(code, `Policy ${JSON.stringify(policy.name)} ${error === LATE ? 'was late' : 'failed'}.`, error)
    return policy.onError === 'deny' ? failedOutcome(policy) : undefined
  }

  function deadlineOf(check: Check<Facts>, ms: number): Deadline {
    check.deadline ??= createDeadline(ms, clock)
    return check.deadline
  }

  return { run, runFrom }
}

/** The longest of the found bans of this scope. */
function foundIn({ found }: Pick<Check<unknown>, 'found'>, scope: string): Entry | undefined {
  return found?.find((each) => entryScope(each) === scope)
}

/** Stands for the error of what did not answer in time. */
const LATE = new IpGuardError('IPGUARD_DEADLINE_EXCEEDED', 'There was no answer by the deadline.')

/** By whom hits were counted: the store, as it was told; this process or nobody; or by another guard of the same request. */
type Counted = HitCommit | 'elsewhere' | 'before'

/** The first refusal, with the end of the one that lasts longer, and what that one rests on. */
function alsoRefused(first: PolicyOutcome, longest: PolicyOutcome): PolicyOutcome {
  const { retryAfter = 1, expires, tier, evidence = [] } = longest
  return {
    ...first,
    retryAfter,
    ...(expires !== undefined && { expires }),
    ...(tier !== undefined && { tier }),
    evidence: [...(first.evidence ?? []), ...evidence],
  }
}

function failedOutcome({ name }: Pick<Policy, 'name'>): PolicyOutcome {
  const evidence = [{ kind: 'error', message: 'The policy failed, and so it refuses.' }] as const
  return { action: 'deny', policy: name, reason: 'denied', evidence }
}

/** The hits that give back what the check has consumed. */
export function refunds({ sent, replies, consumed }: Pick<Check<unknown>, 'sent' | 'replies' | 'consumed'>): Hit[] {
  return sent.flatMap((hit, i) => {
    const reply = replies[i]
    return reply && hit.cost > 0 && consumed.includes(hit) ? [{ ...hit, cost: -hit.cost, slot: reply.slot }] : []
  })
}

/** Work that the answer does not wait for; its failures are told where they happen. */
function background(check: Pick<Check<unknown>, 'waitUntil'>, work: Promise<unknown> | undefined): void {
  const quiet = work?.catch(() => {})
  if (quiet) check.waitUntil?.(quiet)
}

/** The built-in policies speak in known words; what a custom one answers is checked. */
function named(policy: Pick<Policy, 'name' | 'kind'>, outcome: Outcome): PolicyOutcome {
  return policy.kind ? { ...outcome, policy: policy.name } : customOutcome(policy.name, outcome)
}
