import type { Client } from '../client-ip/client.ts'
import { type Duration, formatDuration, parseDuration } from '../duration.ts'
import { describe, IpGuardError } from '../errors.ts'
import { checkChoice, checkOptions, checkWhole, invalidOption } from '../options.ts'
import type { GuardRequest } from '../request.ts'
import { entryScope } from '../store/entry.ts'
import type { Algorithm, Counter, CounterKey, Hit } from '../store/hit.ts'
import { type Ladder, type LadderOptions, type LadderTier, parseLadder } from '../store/ladder.ts'
import { compileExceptions, type Exception, knownBy } from './exception.ts'
import { POLICY_OPTIONS, type Policy, type PolicyContext, type PolicyOptions, policyFields } from './policy.ts'

/** A value, or a synchronous function of the request, its client (undefined when unknown) and the application's facts. */
export type PerRequest<T, Facts> = T | PerRequestFunction<T, Facts>

type PerRequestFunction<T, Facts> = (request: GuardRequest, client: Client | undefined, facts: Facts) => T

/** The options of `rateLimit`: a limit, a ladder, or both. */
export interface RateLimitOptions<Facts> extends PolicyOptions<Facts> {
  /**
   * Requests (or cost) per window: a whole number from 0, of a sliding window up to 4,294,967,295 (what a function answers beyond it is cut);
   * Infinity: not limited. Absent: only strikes are kept, for the ladder.
   */
  readonly limit?: PerRequest<number, Facts>
  /** From '100ms'. Needed with `limit`. */
  readonly window?: Duration
  /** See {@link Algorithm} for what each one guarantees. @default 'sliding-window' */
  readonly algorithm?: Algorithm
  /** Token bucket: how much may come at once. @default the limit */
  readonly burst?: number
  /** What a request counts for: a whole number; 0 only reads. @default 1 */
  readonly cost?: PerRequest<number, Facts>
  /**
   * How many requests a process may take in advance from a store that several share, and answer from by itself: below the limit. What is
   * taken is deducted, so the limit holds; up to what other processes hold is refused early. @default none: the store is asked each time
   */
  readonly lease?: number
  /** By what to count; undefined counts by the client. Hashed. @default the client */
  readonly key?: PerRequest<string | undefined, Facts>
  /** Turns strikes into bans. */
  readonly ladder?: readonly LadderTier[] | LadderOptions
  /** Spares these. */
  readonly except?: readonly Exception[]
  /** Counts CORS preflights too. @default false */
  readonly preflights?: boolean
  /**
   * When the store cannot answer in time, or `limit`, `cost` or `key` throw or answer nonsense: `'local'` counts in this process (by the
   * client when the key failed, with the limit known last, and refuses while none is known), `'allow'` lets it pass, `'deny'` refuses. @default 'local'
   */
  readonly onError?: 'local' | 'allow' | 'deny'
}

/** Longer keys are refused: what they cost to hash would be the caller's choice. */
const LONGEST_KEY = 2048
const OPTIONS = [
  ...POLICY_OPTIONS,
  'limit',
  'window',
  'algorithm',
  'burst',
  'cost',
  'lease',
  'key',
  'ladder',
  'except',
  'preflights',
  'onError',
] as const

/**
 * Counts requests over a window and refuses those beyond the limit; with a ladder, who goes over it again and again is banned.
 *
 * Counts by the client: the address for IPv4, its /64 for IPv6. A refused request consumes nothing. `limit`, `cost` and `key` may be
 * synchronous functions. A key that a caller can choose (an API key that is not verified yet) limits nobody: put a limit by client before it.
 *
 * @example
 * rateLimit({ limit: 60, window: '60s', ladder: [{ name: 'graylist', ban: '24h' }, { name: 'blacklist', ban: '30d', after: 3 }] })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`, `IPGUARD_LADDER_INVALID`, `IPGUARD_LADDER_UNREACHABLE`
 */
export function rateLimit<Facts = unknown>(options: RateLimitOptions<Facts>): Policy<Facts> {
  checkOptions(options, OPTIONS, 'rateLimit')
  const { limit, cost = 1, key, burst, lease } = options
  const algorithm = options.algorithm ?? 'sliding-window'
  checkChoice('rateLimit.algorithm', options.algorithm, ['sliding-window', 'fixed-window', 'token-bucket'])
  checkChoice('rateLimit.onError', options.onError, ['local', 'allow', 'deny'])
  const window = checkWindow(options)
  const ladder = options.ladder && parseLadder(options.ladder, 'rateLimit.ladder')
  const highest = algorithm === 'sliding-window' ? 0xffffffff : Number.MAX_SAFE_INTEGER
  if (typeof limit !== 'function' && limit !== undefined && !isLimit(limit, highest))
    throw invalidOption('rateLimit.limit', limit, `a whole number from 0 to ${highest}, or Infinity`)
  if (typeof cost !== 'function') checkWhole('rateLimit.cost', cost, 0)
  checkWhole('rateLimit.burst', burst, 1)
  if (burst !== undefined && algorithm !== 'token-bucket')
    throw invalidOption('rateLimit.burst', burst, "it with algorithm: 'token-bucket'")
  if (lease !== undefined) checkLease(lease, limit, algorithm)
  if (typeof key !== 'function' && typeof key !== 'string' && key !== undefined)
    throw invalidOption('rateLimit.key', key, 'a text or a function')
  if (limit === undefined && ladder === undefined)
    throw invalidOption('rateLimit.limit', limit, 'a number, like 60; or a ladder that strikes climb')
  if (key !== undefined && ladder !== undefined) {
    throw new IpGuardError(
      'IPGUARD_LADDER_INVALID',
      'rateLimit has a ladder and a key of its own: a ladder bans addresses. Write the ladder on a limit that counts by the client.',
    )
  }
  if (typeof limit === 'number' && typeof cost === 'number' && cost > (burst ?? limit) && limit > 0) {
    throw invalidOption('rateLimit.cost', cost, `at most ${burst ?? limit}: no request would ever pass`)
  }

  const fields = policyFields(options, 'rateLimit', defaultName(limit, window, ladder))
  const largest = typeof limit === 'number' ? Math.max(limit, burst ?? 0) : Number.POSITIVE_INFINITY
  const counterOf = (shadow: boolean): Counter => {
    const scoped = shadow || ladder?.scope === 'policy' ? { policy: fields.name } : {}
    return Object.freeze({
      id: `${shadow ? 'shadow' : 'live'} ${JSON.stringify(fields.name)} ${algorithm} ${window}`,
      policy: fields.name,
      algorithm,
      window,
      shadow,
      largest,
      ...(ladder && { ladder }),
      ...(lease !== undefined && { lease }),
      banScope: entryScope({ kind: 'ban', ...scoped, ...(shadow ? { shadow } : {}) }),
    })
  }
  const counters = { live: counterOf(false), shadow: counterOf(true) }
  const spared = options.except && compileExceptions(options.except, 'rateLimit.except', fields.name)
  const fixedKey = typeof key === 'string' ? customKey(key) : undefined
  /** What a failed `limit` function falls back on, once one was known. */
  let lastLimit: number | undefined
  const keyOf = (context: PolicyContext<Facts>): CounterKey => {
    if (fixedKey) return fixedKey
    if (typeof key !== 'function') return context.key
    const text: unknown = key(context.request, context.client, context.facts)
    if (text === undefined) return context.key
    if (typeof text !== 'string' || text.length > LONGEST_KEY)
      throw unusable(fields.name, 'key', typeof text, `a text of up to ${LONGEST_KEY} characters, or undefined`)
    return customKey(text)
  }

  const isSpared = (context: PolicyContext<Facts>, failed: boolean | undefined): boolean => {
    try {
      return spared?.(context) === true
    } catch (error) {
      // Counting one too many is the safe side.
      if (failed) return false
      throw error
    }
  }

  const limitOf = (
    asked: PerRequestFunction<number, Facts>,
    { request, client, facts }: PolicyContext<Facts>,
  ): number => {
    const most = asked(request, client, facts)
    if (!isLimit(most)) throw unusable(fields.name, 'limit', most, 'a whole number from 0, or Infinity')
    lastLimit = most
    return most
  }
  const costOf = (
    asked: PerRequestFunction<number, Facts>,
    { request, client, facts }: PolicyContext<Facts>,
  ): number => {
    const weight = asked(request, client, facts)
    if (!isCost(weight)) throw unusable(fields.name, 'cost', weight, 'a whole number from 0')
    return weight
  }

  return {
    ...fields,
    kind: 'limit',
    known: knownBy(options.except),
    onError: options.onError ?? 'local',
    counter: (shadow) => (shadow ? counters.shadow : counters.live),
    count(context, failed) {
      if (limit === undefined) return NONE
      const { request } = context
      if (request.method === 'OPTIONS' && !options.preflights && isPreflight(request)) return NONE
      if (isSpared(context, failed)) return NONE
      const most = typeof limit === 'number' ? limit : ((failed ? lastLimit : undefined) ?? limitOf(limit, context))
      const weight = typeof cost === 'number' ? cost : failed ? 1 : costOf(cost, context)
      if (most === Number.POSITIVE_INFINITY) return NONE
      const counter = context.shadow ? counters.shadow : counters.live
      // Written out, and of one shape for all limits: a spread costs as much as a count.
      const hit: Hit = {
        counter,
        key: failed ? context.key : keyOf(context),
        limit: Math.min(most, highest),
        cost: weight,
        exempt: ladder !== undefined && context.exempt,
        jitter: ladder?.jitter ? Math.random() : 0,
      }
      return [burst === undefined ? hit : { ...hit, burst }]
    },
    evaluate: () => undefined,
  }
}

/** Its words are the store's business: it hashes the text, with a key or a function of its own. */
function customKey(text: string): CounterKey {
  return { kind: 0, length: 0, a: 0, b: 0, c: 0, d: 0, text: `key:${text}` }
}

const NONE: readonly Hit[] = []

function checkWindow(options: RateLimitOptions<never>): number {
  if (options.limit === undefined) {
    if (options.window !== undefined)
      throw invalidOption('rateLimit.window', options.window, 'it together with a limit')
    return 0
  }
  if (options.window === undefined)
    throw invalidOption('rateLimit.window', undefined, "how long the limit counts, like '60s'")
  const window = parseDuration(options.window, 'rateLimit.window')
  if (window < 100) throw invalidOption('rateLimit.window', options.window, "at least '100ms'")
  return window
}

function checkLease(lease: unknown, limit: unknown, algorithm: Algorithm): void {
  if (algorithm === 'token-bucket')
    throw invalidOption('rateLimit.lease', lease, 'it with another algorithm: what a bucket leaks would pass twice')
  if (limit === undefined) throw invalidOption('rateLimit.lease', lease, 'it together with a limit')
  checkWhole('rateLimit.lease', lease, 1)
  if (typeof limit === 'number' && (lease as number) >= limit)
    throw invalidOption('rateLimit.lease', lease, `less than the limit of ${limit}: one process would take it all`)
}

function defaultName(limit: number | object | undefined, window: number, ladder: Ladder | undefined): string {
  if (limit === undefined) return ladder?.tiers[0]?.name ?? 'strikes'
  return `${typeof limit === 'number' ? String(limit) : 'dynamic'}-in-${formatDuration(window)}`
}

/** A CORS preflight, which a browser sends by itself (Fetch standard, 4.8). */
function isPreflight({ headers }: GuardRequest): boolean {
  return Boolean(headers.get('origin')) && Boolean(headers.get('access-control-request-method'))
}

function isLimit(value: unknown, highest: number = Number.MAX_SAFE_INTEGER): value is number {
  return value === Number.POSITIVE_INFINITY || (isCost(value) && value <= highest)
}

function isCost(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 // an integer by the first test
}

/** What a function of the user's answered is not shown: it may be a secret. */
function unusable(policy: string, option: string, received: unknown, expected: string): IpGuardError {
  return new IpGuardError(
    'IPGUARD_POLICY_FAILED',
    `${option} of policy ${describe(policy)} answered ${option === 'key' ? `a ${String(received)}` : describe(received)}. Answer ${expected}.`,
  )
}
