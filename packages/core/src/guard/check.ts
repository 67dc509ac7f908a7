import type { Client, ResolvedClient } from '../client-ip/client.ts'
import type { Address } from '../ip/address.ts'
import type { Decision, LimitState, PolicyOutcome } from '../policy/decision.ts'
import { type PathForms, requestForms } from '../policy/path-forms.ts'
import type { PolicyContext } from '../policy/policy.ts'
import type { GuardRequest } from '../request.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { Entry } from '../store/entry.ts'
import type { CounterKey, Hit, HitReply } from '../store/hit.ts'
import type { Finding, Store } from '../store/store.ts'
import type { Deadline } from './deadline.ts'

/** All requests without a client count together, when they are let in at all. */
const UNKNOWN: CounterKey = Object.freeze({ kind: 0, length: 0, a: 0, b: 0, c: 0, d: 0, text: 'unknown' })

export const NONE: readonly never[] = Object.freeze([])

/** `undefined`: every policy was asked and nobody objected. */
export type Ruling = PolicyOutcome | undefined

/** What a check needs of its guard. */
export interface CheckRoot {
  readonly store: Store | undefined
  readonly isInfrastructure: (address: Address) => boolean
  /** For policies that wait for something else than the store; `since`: when the decision was begun. */
  readonly startDeadline: (since?: number) => Deadline
  readonly hub: { readonly warn: (warning: Finding) => void }
}

/**
 * One check on its way through the policies: what they are given, what was found out, and, on the request, the memory of it.
 *
 * A class, against the house rule: it is made for every request, so it is one object, with getters on the prototype for what few policies
 * ask for. What most checks never need is set on the prototype until then.
 */
export class Check<Facts> implements PolicyContext<Facts> {
  declare readonly request: GuardRequest
  declare readonly facts: Facts
  declare readonly now: number
  declare shadow: boolean
  declare readonly resolved: ResolvedClient | undefined
  declare readonly root: CheckRoot
  /** By which the request remembers whose check this is. */
  declare readonly guard: object
  /** What other guards have found out about the request, the newest first. */
  declare readonly next: Check<unknown> | undefined
  declare decision: Awaitable<Decision> | undefined
  /** A policy ended the evaluation: what comes after it was not asked. */
  declare decided: boolean
  /** Nothing may change: `status` asks what would be. */
  declare dry: boolean
  /** Counters collected and not sent yet. */
  declare hits: readonly Hit[]
  /** Counters sent, with their replies. */
  declare sent: readonly Hit[]
  declare replies: readonly HitReply[]
  /** Those of them that the store has consumed, and that were not given back. */
  declare consumed: readonly Hit[]
  declare limits: LimitState[] | undefined
  declare noted: PolicyOutcome[] | undefined
  declare degraded: string[] | undefined
  declare pending: string[] | undefined
  declare deadline: Deadline | undefined
  /** The deadline is that of a policy which waits for something else than the store. */
  declare waits: boolean
  /** Live bans of this client that the copy had no room for, the one that ends last first. */
  declare found: readonly Entry[] | undefined
  /** Keeps background work alive, where the platform has such a thing. */
  declare waitUntil: ((work: Promise<unknown>) => void) | undefined
  /** The view that policies in shadow have of this check; and the check that such a view is of. */
  declare twin: Check<Facts> | undefined
  declare counterKey: CounterKey | undefined
  declare forms: PathForms | undefined

  constructor(
    root: CheckRoot,
    guard: object,
    next: Check<unknown> | undefined,
    request: GuardRequest,
    facts: Facts,
    resolved: ResolvedClient | undefined,
    now: number,
  ) {
    this.request = request
    this.facts = facts
    this.now = now
    this.resolved = resolved
    this.root = root
    this.guard = guard
    this.next = next
    this.decision = undefined
    this.hits = NONE
    this.sent = NONE
    this.replies = NONE
    this.consumed = NONE
    this.limits = undefined
  }

  get client(): Client | undefined {
    return this.resolved?.client
  }

  get address(): Address | undefined {
    return this.resolved?.address
  }

  get allowable(): boolean {
    return this.resolved?.allowable ?? false
  }

  get key(): CounterKey {
    this.counterKey ??= this.resolved ? counterKey(this.resolved) : UNKNOWN
    return this.counterKey
  }

  get paths(): PathForms {
    this.forms ??= requestForms(this.request)
    return this.forms
  }

  get exempt(): boolean {
    return this.address !== undefined && this.root.isInfrastructure(this.address)
  }

  get signal(): AbortSignal {
    // Asked for before anything waits: the policy is about to.
    return waitingDeadline(this.shadow && this.twin ? this.twin : this).signal
  }

  pend(name: string): void {
    const whole = this.shadow && this.twin ? this.twin : this
    whole.pending ??= []
    if (!whole.pending.includes(name)) whole.pending.push(name)
  }

  degrade(part: string): void {
    degrade(this.shadow && this.twin ? this.twin : this, part)
  }

  warn(warning: Finding): void {
    this.root.hub.warn(warning)
  }
}

Object.assign(Check.prototype, {
  shadow: false,
  decided: false,
  dry: false,
  waits: false,
  noted: undefined,
  degraded: undefined,
  pending: undefined,
  deadline: undefined,
  found: undefined,
  waitUntil: undefined,
  twin: undefined,
  counterKey: undefined,
  forms: undefined,
})

/** The deadline of a decision that waits for more than the store: its time began with the decision, whatever it has waited for before. */
export function waitingDeadline<Facts>(check: Check<Facts>): Deadline {
  if (check.waits && check.deadline) return check.deadline
  check.deadline?.end()
  check.waits = true
  check.deadline = check.root.startDeadline(check.now)
  return check.deadline
}

/** The same check as policies in shadow see it. */
export function shadowOf<Facts>(check: Check<Facts>): Check<Facts> {
  if (!check.twin) {
    const { root, guard, request, facts, resolved, now } = check
    check.twin = new Check(root, guard, undefined, request, facts, resolved, now)
    check.twin.shadow = true
    check.twin.dry = check.dry
    check.twin.waitUntil = check.waitUntil
    check.twin.twin = check
  }
  return check.twin
}

/** By what a client is counted: its key's words, length and text. */
export function counterKey({ client, key, keyLength }: ResolvedClient): CounterKey {
  return { kind: key.family, length: keyLength, a: key.a, b: key.b, c: key.c, d: key.d, text: client.key }
}

export function degrade(check: Pick<Check<unknown>, 'degraded'>, part: string): void {
  check.degraded ??= []
  if (!check.degraded.includes(part)) check.degraded.push(part)
}

export function note(check: Pick<Check<unknown>, 'noted'>, outcome: PolicyOutcome): void {
  check.noted ??= []
  check.noted.push(outcome)
}
