import { IpGuardError } from '../errors.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { Action, Evidence, Reason } from './decision.ts'
import { compileExceptions, knownBy } from './exception.ts'
import { createJudge } from './judge.ts'
import { type Outcome, type Policy, type PolicyContext, policyFields } from './policy.ts'
import type { PolicyHost } from './policy-host.ts'
import { createDesk, type Knowledge } from './reputation-desk.ts'
import { checkReputationOptions, type ReputationOptions } from './reputation-options.ts'

export type { ReputationOptions }

/** What was made of an address, as long as nothing new is told. */
interface Made {
  readonly until: number
  /** Undefined: no objection. */
  readonly outcome: Outcome | undefined
  readonly newsAt: number
}

const REASONS: Readonly<Record<Exclude<Action, 'allow'>, Reason>> = {
  deny: 'denied',
  challenge: 'challenge-required',
  limit: 'rate-limited',
}

/**
 * Asks sources of reputation about the client's address, and refuses by what they say together.
 *
 * By default nobody waits: the first request goes on by `onUnknown`, the look-up runs in the background, and the next request meets its
 * answer. `wait` is for routes where that is too late. A source is asked once per address and TTL over all processes that share the store,
 * never beyond its quota, and only when its answer could change what is done. A source that fails is never taken as good or bad: an older
 * answer counts, else the client is unknown. Private and other special addresses are never sent out.
 *
 * The score is `100 * (1 - (1 - w * c * s / 100) * ...)` over all verdicts: weight, confidence, score; see `docs/semantics.md`.
 *
 * @example
 * const listed = { name: 'listed', lookup: async (ip: string) => (ip === '192.0.2.1' ? { score: 90 } : undefined) }
 * reputation({ when: onPaths('/login', '/signup'), providers: [listed], challenge: 50, deny: 80, categories: { tor: 'challenge' } })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_REPUTATION_INVALID`, `IPGUARD_DURATION_INVALID`, `IPGUARD_CIDR_INVALID`
 */
export function reputation<Facts = unknown>(options: ReputationOptions<Facts>): Policy<Facts> {
  const { rules, limits, providers, wait } = checkReputationOptions(options)
  const fields = {
    ...policyFields(options, 'reputation', 'reputation'),
    kind: 'deny' as const,
    known: knownBy(options.except),
  }
  const { onUnknown = 'allow', includePrivate = false, highValue = false } = options
  const names = providers.map(({ provider }) => provider.name)
  const judge = createJudge(rules)
  const spared = options.except && compileExceptions(options.except, 'reputation.except', fields.name)

  function bind(host: PolicyHost): Policy<Facts> {
    const desk = createDesk(
      { policy: fields.name, judge, providers, limits, onUnknown, includePrivate, highValue, waits: wait > 0 },
      host,
    )
    const { table } = desk.book
    const { place } = desk

    function evaluate(context: PolicyContext<Facts>): Awaitable<Outcome | undefined> {
      const { address } = context
      // Most requests end here.
      if (address !== undefined && table.passes(address, place, context.now)) return undefined
      const { client, now } = context
      if (address && client) {
        if (!context.dry && desk.isShut(address, now)) {
          if (spared?.(context)) return undefined
          context.degrade(fields.name)
          return shut
        }
        const made = table.find(address)?.made[place] as Made | undefined // put there below
        if (made !== undefined && now < made.until) {
          if (made.outcome === undefined || spared?.(context)) return undefined
          return timed(made.outcome, made.newsAt, now)
        }
        if (spared?.(context)) return undefined
        const known = desk.know({ ...client, address }, now, context.dry ? 'look' : 'ask')
        for (const { over } of [...known.awaited, ...known.renewals]) context.waitUntil?.(over)
        if (wait === 0 || known.awaited.length === 0 || context.dry) return conclude(context, known)
        return answered(context, known).then(() => late(context))
      }
      return onUnknown === 'allow' ? undefined : refusal(onUnknown, unknown)
    }

    /** Resolves when there is nothing more to wait for, or the policy's own time is up. */
    function answered({ address, client }: PolicyContext<Facts>, { awaited }: Knowledge): Promise<void> {
      return new Promise((resolve) => {
        const cancel = wait < Number.POSITIVE_INFINITY ? host.after(wait, resolve) : () => {}
        const look = (): void => {
          if (!address || !client || desk.know({ ...client, address }, host.now(), 'look').awaited.length > 0) return
          cancel()
          resolve()
        }
        for (const { waiters } of awaited) waiters.push(look)
      })
    }

    /** By what is known when nothing is waited for any more. */
    function late(context: PolicyContext<Facts>): Outcome | undefined {
      const { address, client } = context
      return address && client && conclude(context, desk.know({ ...client, address }, host.now(), 'over'))
    }

    function conclude(context: PolicyContext<Facts>, known: Knowledge): Outcome | undefined {
      const { action, awaited, renewals, degraded, until, newsAt } = known
      for (const { provider } of [...awaited, ...renewals]) context.pend(provider)
      if (degraded) context.degrade(fields.name)
      const outcome = action === 'allow' ? undefined : refusal(action, known.unknown ? unknown : evidenceOf(known))
      const { address } = context
      const row = until > 0 && address ? table.find(address) : undefined
      if (row) row.made[place] = { until, outcome, newsAt } satisfies Made
      if (row && address && !outcome) table.pass(address, place, host.now(), until)
      return outcome && timed(outcome, newsAt, context.now)
    }

    return { ...fields, evaluate, late }
  }

  const unknown: readonly Evidence[] = [{ kind: 'unknown', providers: names }]
  const shut = onUnknown === 'allow' ? undefined : refusal(onUnknown, unknown)
  return {
    ...fields,
    bind,
    evaluate() {
      throw new IpGuardError(
        'IPGUARD_REPUTATION_INVALID',
        'Only the guard that a reputation policy was given to may ask it.',
      )
    },
  }
}

function refusal(action: Exclude<Action, 'allow'>, evidence: readonly Evidence[]): Outcome {
  return { action, reason: REASONS[action], evidence }
}

/** A limit says when to come again: when something new may be told. */
function timed(outcome: Outcome, newsAt: number, now: number): Outcome {
  if (outcome.action !== 'limit') return outcome
  const seconds = newsAt < Number.POSITIVE_INFINITY ? Math.ceil((newsAt - now) / 1000) : 1
  return { ...outcome, retryAfter: Math.max(1, seconds) }
}

function evidenceOf({ score, verdicts, added }: Knowledge): readonly Evidence[] {
  return [{ kind: 'reputation', score, verdicts, ...(added.length > 0 && { categories: added }) }]
}
