import type { Duration } from '../duration.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { Category } from './category.ts'
import type { Report, ReportType } from './report.ts'

/** What a provider says about an address. */
export interface Verdict {
  /** 0 (nothing bad) to 100 (certainly bad). */
  readonly score: number
  readonly categories?: readonly Category[]
  /** How sure the source is, 0 to 1; it takes that share of the score. @default 1 */
  readonly confidence?: number
  /** How long the source lets it be kept. @default the provider's `ttl.verdict` */
  readonly ttl?: Duration
  /** A short text for the decision's evidence, such as the name of the list. Of the source: hostile. */
  readonly detail?: string
}

/** How often a source may be asked. The engine counts before it sends, over all processes that share the store. */
export interface Quota {
  readonly perMinute?: number
  readonly perDay?: number
}

/** What a look-up is given beside the address. */
export interface LookupContext {
  /** Aborted at the look-up's own deadline, or when the guard is closed. */
  readonly signal: AbortSignal
}

/**
 * A source of reputation. Three outcomes: a verdict; undefined for "not listed"; a throw for "could not tell". A rejection with a number
 * `retryAfter` (milliseconds) is not asked again before.
 *
 * The engine around it caches, asks once per address, counts the quota, limits how many run at once, and breaks the circuit: a provider is
 * the question and the reading of the answer, nothing more. `@ipguard/conformance` holds the suite that every provider passes.
 */
export interface Provider {
  /** Names it in decisions, metrics and stores: letters, digits, "-", "_" and ".", up to 64. */
  readonly name: string
  /**
   * `ip` is canonical and public (unless `includePrivate`). Must honour the signal. A `local` provider may answer without a promise.
   */
  lookup(ip: string, context: LookupContext): Awaitable<Verdict | undefined>
  /**
   * Answers at once and from memory (a list, a database file): it is asked in the request itself, on first sight, with no cache, quota or
   * queue around it. @default false
   */
  readonly local?: boolean
  /** False: never asked about this address, and it says nothing about it. @default all are supported */
  supports?(ip: string): boolean
  readonly quota?: Quota
  /** How much its word counts, above 0 up to 1. @default 1 */
  readonly weight?: number
  /** How long answers are kept. @default verdict '1h', unlisted '1h', error '60s' */
  readonly ttl?: { readonly verdict?: Duration; readonly unlisted?: Duration; readonly error?: Duration }
  /** The deadline of one look-up; with a quota at most 10 s, of a report at most 60 s. @default '5s' */
  readonly timeout?: Duration
  /** Changes with the settings that change answers; part of the cache's key. Never a secret. @default '' */
  readonly version?: string
  /**
   * Tells the source of an attacker. Rejects when it did not take it, with `retryAfter` if it said when; with `uncertain: true` when it may
   * have taken it all the same (it is not sent again then), and with `IPGUARD_REPORT_DUPLICATE` when it has one of this address already.
   */
  report?(ip: string, report: Report, context: LookupContext): Promise<void>
  /** Several at once, where the source has such a call. */
  reportMany?(
    reports: readonly { readonly ip: string; readonly report: Report }[],
    context: LookupContext,
  ): Promise<void>
  /** At how many waiting reports such a call is worth it: a source may allow few of them. @default 2 */
  readonly reportManyFrom?: number
  /** What the source takes reports of. @default everything */
  readonly reportTypes?: readonly ReportType[]
  /** How many reports a day. */
  readonly reportQuota?: Pick<Quota, 'perDay'>
  /** The shortest time between two reports of one address that the source accepts. @default '15m' */
  readonly reportWindow?: Duration
  /** Ends what the provider itself has started (timers, streams, file watches). */
  close?(): Awaitable<void>
}
