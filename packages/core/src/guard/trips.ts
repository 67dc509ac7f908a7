import type { PolicyOutcome } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import type { Hit, HitCommit, HitReply } from '../store/hit.ts'
import { type Check, degrade, NONE, note, type Ruling } from './check.ts'
import { limitState, refusedHit } from './counting.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import type { CountFailure, Fallback } from './hit-sender.ts'
import { countedBefore } from './memo.ts'
import type { Striker } from './reports.ts'
import type { Root } from './root.ts'
import { rulers } from './rulers.ts'

/** By whom hits were counted: the store, as it was told; this process or nobody; or by another guard of the same request. */
type Counted = HitCommit | 'elsewhere' | 'before'

/** What an evaluation does with the counters that it has collected. */
export interface Trips<Facts> {
  /** Sends what was collected. A refusal by a counter comes before `end`, which a later policy said. */
  readonly flush: (check: Check<Facts>, end: Ruling) => Awaitable<Ruling>
  /** A refused request consumes nothing, also when an earlier trip of the same check did. */
  readonly giveBack: (check: Check<Facts>) => void
  /** Two policies may have one name: what changes the reply is asked of the one that has refused. */
  readonly ruledBy: (outcome: PolicyOutcome, policy: Policy<Facts> | undefined) => PolicyOutcome
  /** That of the decision, for the store. */
  readonly deadlineOf: (check: Check<Facts>) => Deadline
}

/** Trips to the store: mostly one for a decision, more where a policy is waited for or another guard knows the request. */
export function createTrips<Facts>(root: Root<Facts>, policies: readonly Policy<Facts>[]): Trips<Facts> {
  const { replica, breaker, sender, store, clock, deadlines } = root
  const changesReplies = policies.some(({ onRefused }) => onRefused)

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
      } else if (lengthOf(outcome) > lengthOf(refused)) refused = alsoRefused(refused, outcome)
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

  function ruledBy(outcome: PolicyOutcome, policy: Policy<Facts> | undefined): PolicyOutcome {
    if (changesReplies && policy) rulers.set(outcome, policy)
    return outcome
  }

  function fallbackOf(check: Check<Facts>): Fallback & { readonly taken: boolean } {
    const fallback = {
      /** The store did not count. */
      taken: false,
      deadline: () => deadlineOf(check),
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

  function giveBack(check: Check<Facts>): void {
    const back = refunds(check)
    check.consumed = NONE
    if (back.length === 0 || !sender) return
    const sent = sender.sendAside(back, check.now, 'all', 'allow')
    if (isPromise(sent)) background(check, sent)
  }

  function deadlineOf(check: Check<Facts>): Deadline {
    check.deadline ??= createDeadline(deadlines.store, clock)
    return check.deadline
  }

  return { flush, giveBack, ruledBy, deadlineOf }
}

/** The first refusal, with the end of the one that lasts longer, and what that one rests on. */
function alsoRefused(first: PolicyOutcome, longest: PolicyOutcome): PolicyOutcome {
  const { retryAfter, expires, tier, evidence = [] } = longest
  const { retryAfter: _shorter, ...rest } = first
  return {
    ...rest,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(expires !== undefined && { expires }),
    ...(tier !== undefined && { tier }),
    evidence: [...(first.evidence ?? []), ...evidence],
  }
}

/** Without an end it lasts longer than any other. */
function lengthOf({ retryAfter = Number.POSITIVE_INFINITY }: PolicyOutcome): number {
  return retryAfter
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
