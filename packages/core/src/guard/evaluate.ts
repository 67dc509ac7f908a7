import { IpGuardError } from '../errors.ts'
import { customOutcome } from '../policy/custom-outcome.ts'
import type { PolicyOutcome } from '../policy/decision.ts'
import { matches } from '../policy/matcher.ts'
import type { Outcome, Policy } from '../policy/policy.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { SITE_BAN } from '../store/ban-book.ts'
import { type Entry, entryScope, isLive, laterFirst } from '../store/entry.ts'
import type { Hit } from '../store/hit.ts'
import { type Check, degrade, NONE, note, type Ruling, shadowOf, waitingDeadline } from './check.ts'
import { bannedOutcome } from './counting.ts'
import type { Root } from './root.ts'
import { createTrips } from './trips.ts'

export interface Evaluator<Facts> {
  /** From the entries on. */
  readonly run: (check: Check<Facts>) => Awaitable<Ruling>
  /** From the policy at `from` on: the ones before it were asked by another guard. */
  readonly runFrom: (check: Check<Facts>, from: number) => Awaitable<Ruling>
}

/** The order of the steps: allow entries and leading allow policies, bans and deny entries, then the list. */
export function createEvaluator<Facts>(root: Root<Facts>, policies: readonly Policy<Facts>[]): Evaluator<Facts> {
  const { replica, sender, hub } = root
  const { table, leftOut } = replica
  const first = policies.findIndex((policy) => policy.kind !== 'allow' || policy.mode === 'shadow')
  const leading = first < 0 ? policies.length : first
  const { flush, giveBack, ruledBy, deadlineOf } = createTrips(root, policies)

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
    const found = sender.find(ids, () => deadlineOf(check))
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

  function failure(check: Check<Facts>, policy: Policy<Facts>, error: unknown): Ruling {
    degrade(check, policy.name)
    const code = error === LATE ? LATE.code : 'IPGUARD_POLICY_FAILED'
    hub.fail(code, `Policy ${JSON.stringify(policy.name)} ${error === LATE ? 'was late' : 'failed'}.`, error)
    return policy.onError === 'deny' ? failedOutcome(policy) : undefined
  }

  return { run, runFrom }
}

/** The longest of the found bans of this scope. */
function foundIn({ found }: Pick<Check<unknown>, 'found'>, scope: string): Entry | undefined {
  return found?.find((each) => entryScope(each) === scope)
}

/** Stands for the error of what did not answer in time. */
const LATE = new IpGuardError('IPGUARD_DEADLINE_EXCEEDED', 'There was no answer by the deadline.')

function failedOutcome({ name }: Pick<Policy, 'name'>): PolicyOutcome {
  const evidence = [{ kind: 'error', message: 'The policy failed, and so it refuses.' }] as const
  return { action: 'deny', policy: name, reason: 'denied', evidence }
}

/** The built-in policies speak in known words; what a custom one answers is checked. */
function named(policy: Pick<Policy, 'name' | 'kind'>, outcome: Outcome): PolicyOutcome {
  return policy.kind ? { ...outcome, policy: policy.name } : customOutcome(policy.name, outcome)
}
