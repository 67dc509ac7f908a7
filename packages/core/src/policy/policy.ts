import type { Client } from '../client-ip/client.ts'
import type { Address } from '../ip/address.ts'
import type { IpSet } from '../ip/ip-set.ts'
import { checkChoice, checkOptions, invalidOption } from '../options.ts'
import type { GuardRequest } from '../request.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { CounterKey, Hit } from '../store/hit.ts'
import type { Finding } from '../store/store.ts'
import type { Action, Evidence, Reason } from './decision.ts'
import type { Matcher } from './matcher.ts'
import type { PathForms } from './path-forms.ts'
import type { PolicyHost } from './policy-host.ts'
import type { Reply } from './refusal.ts'

/** What a policy is given. `facts` is what the application knows and the request does not show. */
export interface PolicyContext<Facts = unknown> {
  readonly request: GuardRequest
  /** Undefined when the client is unknown and `onUnknownClient` is `'evaluate'`. */
  readonly client: Client | undefined
  /** The client's address, parsed. */
  readonly address: Address | undefined
  /** By what the client is counted. */
  readonly key: CounterKey
  /** False when the address may match no allow list: the client is unknown, or every hop was a trusted proxy. */
  readonly allowable: boolean
  readonly facts: Facts
  /** Epoch ms. */
  readonly now: number
  /** Infrastructure, which a ladder never bans: private addresses, trusted proxies, the ranges of the presets. */
  readonly exempt: boolean
  /** The policy is in shadow: it must change nothing outside its own namespace. */
  readonly shadow: boolean
  /** The forms that the request's path can take in a router; made when first asked for. */
  readonly paths: PathForms
  /** Aborted at the decision's deadline. */
  readonly signal: AbortSignal
  /** `guard.status` asks what would be said: nothing may be changed, counted or started. */
  readonly dry: boolean
  /** Keeps background work alive after the response, where the platform has such a thing. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
  /** Puts the name of what is being looked up into `decision.pending`. */
  pend(name: string): void
  /** Puts the name of what could not be asked into `decision.degraded`. */
  degrade(part: string): void
  /** Tells the operator, once per code. */
  warn(warning: Finding): void
}

/** What a policy has to say. `allow` ends the evaluation as a refusal does. */
export interface Outcome {
  readonly action: Action
  readonly reason?: Reason
  /** Whole seconds. */
  readonly retryAfter?: number
  readonly evidence?: readonly Evidence[]
}

/**
 * One entry of a guard's ordered list: a small object made by a factory. Lists are compiled when it is made, not per request.
 */
export interface Policy<Facts = unknown> {
  /** Names the policy in decisions, metrics and stores. */
  readonly name: string
  /** What the built-in factories made; absent for a custom policy, which counts as denying. */
  readonly kind?: 'allow' | 'only-allow' | 'deny' | 'limit'
  /** @default 'enforce' */
  readonly mode?: 'enforce' | 'shadow'
  /** Applies to requests for which this holds. @default to all */
  readonly when?: Matcher<Facts> | readonly Matcher<Facts>[]
  /** What a throw or rejection leads to. @default 'skip' */
  readonly onError?: 'skip' | 'deny' | 'local' | 'allow'
  /** Changes the reply to this policy's refusals. */
  readonly onRefused?: (reply: Reply, request: GuardRequest) => Reply | undefined
  /** The list of an allow policy, for `ban` and for the warning when it overlaps the trusted proxies. */
  readonly list?: () => IpSet
  /** The list is kept up to date by somebody else: it is not read when the guard is created. */
  readonly live?: boolean
  /**
   * What is known of an address, whatever it sends: a verified crawler is never reported to anyone, and what others have listed not back to
   * them.
   */
  readonly known?: (address: Address) => 'crawler' | 'listed' | undefined
  /** The name was derived, not written. */
  readonly unnamed?: boolean
  /** The counter of a limit, for `strike` and `status`. */
  readonly counter?: (shadow: boolean) => Hit['counter']
  /**
   * Gives the policy as one guard asks it, with what it needs of that guard. Asked once per guard (those derived by `with` included); must
   * start nothing. @default the policy itself
   */
  readonly bind?: (host: PolicyHost) => Policy<Facts>
  /** Counters to join the check's one hit. After a throw it is asked again with `failed`, when `onError` is `'local'`. */
  count?(context: PolicyContext<Facts>, failed?: boolean): readonly Hit[]
  /** Undefined: no opinion. */
  evaluate(context: PolicyContext<Facts>): Awaitable<Outcome | undefined>
  /** What it says when `evaluate` is still waiting at the decision's deadline. @default `onError` speaks */
  late?(context: PolicyContext<Facts>): Outcome | undefined
}

/** The options that every policy factory takes. */
export interface PolicyOptions<Facts> {
  /** @default derived from what the policy does */
  readonly name?: string
  /** In `'shadow'` the outcome is recorded in `decision.shadow` and evaluation goes on. @default 'enforce' */
  readonly mode?: 'enforce' | 'shadow'
  /** Applies to requests for which this (or each of several) holds. @default to all */
  readonly when?: Matcher<Facts> | readonly Matcher<Facts>[]
  /** Changes the reply to this policy's refusals; undefined keeps it. */
  readonly onRefused?: (reply: Reply, request: GuardRequest) => Reply | undefined
}

/** What `policy` makes a policy of: a name and a function, synchronous or not. */
export interface CustomPolicyOptions<Facts> extends PolicyOptions<Facts> {
  /** Names it in decisions, metrics and events. */
  readonly name: string
  /** What a throw or rejection leads to; it is listed in `decision.degraded` and emitted as `error`. @default 'skip' */
  readonly onError?: 'skip' | 'deny'
  /** Undefined: no objection. What is answered is checked; nonsense counts as a throw. */
  readonly evaluate: (context: PolicyContext<Facts>) => Awaitable<Outcome | undefined>
}

export const POLICY_OPTIONS = ['name', 'mode', 'when', 'onRefused'] as const

/**
 * A policy of your own: a name, and a function that answers an outcome or undefined for "no opinion".
 *
 * It may answer a promise; the decision is then asynchronous and bounded by the guard's `deadline`. A throw takes `onError`.
 *
 * @example
 * policy({
 *   name: 'office-hours',
 *   when: onPaths('/admin/*'),
 *   evaluate: ({ now }) => (new Date(now).getUTCHours() < 6 ? { action: 'deny' } : undefined),
 * })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`
 */
export function policy<Facts = unknown>(options: CustomPolicyOptions<Facts>): Policy<Facts> {
  checkOptions(options, [...POLICY_OPTIONS, 'onError', 'evaluate'], 'policy')
  if (typeof options.evaluate !== 'function') throw invalidOption('policy.evaluate', options.evaluate, 'a function')
  checkChoice('policy.onError', options.onError, ['skip', 'deny'])
  return { ...policyFields(options, 'policy', ''), onError: options.onError ?? 'skip', evaluate: options.evaluate }
}

/** Checks the common options and gives them as the policy's own fields. */
export function policyFields<Facts>(
  options: PolicyOptions<Facts>,
  owner: string,
  derivedName: string,
): Omit<Policy<Facts>, 'evaluate'> & { readonly name: string } {
  const name = options.name ?? derivedName
  if (typeof name !== 'string' || name.length === 0 || name.length > 128 || /[\p{Cc}\p{Cf}]/u.test(name)) {
    throw invalidOption(`${owner}.name`, options.name, 'a text of 1 to 128 printable characters')
  }
  checkChoice(`${owner}.mode`, options.mode, ['enforce', 'shadow'])
  for (const [key, value] of [
    ['when', options.when],
    ['onRefused', options.onRefused],
  ] as const) {
    const ok = (each: unknown): boolean =>
      typeof each === 'function' || (key === 'when' && typeof each === 'object' && each !== null && 'test' in each)
    if (value instanceof RegExp)
      throw invalidOption(`${owner}.${key}`, value, 'onPaths(...) or a function: ({ url }) => /login/.test(url)')
    if (value !== undefined && !(Array.isArray(value) && key === 'when' ? value.every(ok) : ok(value))) {
      throw invalidOption(
        `${owner}.${key}`,
        value,
        key === 'when' ? "a function or a matcher, like onPaths('/login')" : 'a function',
      )
    }
  }
  return {
    name,
    unnamed: options.name === undefined,
    ...(options.mode && { mode: options.mode }),
    ...(options.when && { when: options.when }),
    ...(options.onRefused && { onRefused: options.onRefused }),
  }
}
