import type { ClientIpOptions, Duration, RateLimitOptions } from '@ipguard/core'

/** What a decision must say; what is left out is not asked. Times are ms from the history's start. */
export interface ExpectedDecision {
  readonly action: 'allow' | 'limit' | 'deny'
  readonly reason?: 'banned' | 'rate-limited'
  readonly policy?: string
  /** Whole seconds. */
  readonly retryAfter?: number
  /** When the ban ends. */
  readonly expires?: number
  readonly tier?: string
  /** Of the evidence: how many strikes brought the ban about. */
  readonly strikes?: number
  /** What shadow policies would have done. */
  readonly shadow?: readonly ExpectedDecision[]
}

/** What happens, or is seen, at `at` ms from the start. */
export type HistoryStep = { readonly at: number } & (
  | {
      readonly do: 'request'
      readonly times?: number
      readonly from?: string
      readonly url?: string
      readonly expect: ExpectedDecision
    }
  /** Hits that were sent before anybody knew of the ban, on the first policy's counter. */
  | { readonly do: 'in flight'; readonly times: number }
  /** `banned`: when the ban that it brings about ends; null: none. */
  | { readonly do: 'strike'; readonly banned: number | null }
  | { readonly do: 'ban'; readonly target: string; readonly for: Duration }
  | { readonly do: 'unban'; readonly target: string }
  | { readonly do: 'allow'; readonly target: string }
  /** The wall clock is set, so far from the true time. */
  | { readonly do: 'set wall clock'; readonly by: number }
  /** The policies are enforced from now on. */
  | { readonly do: 'enforce' }
  /** All live bans, by prefix, with their ends. */
  | { readonly do: 'see bans'; readonly bans: Readonly<Record<string, number>> }
  /** `status()` of a client: the first policy's strikes and what is left of its limit; bans in shadow and live ones. */
  | {
      readonly do: 'see status'
      readonly of?: string
      readonly strikes?: number
      readonly remaining?: number
      readonly bans?: number
      readonly shadowBans?: number
    }
  | { readonly do: 'see warning'; readonly code: string }
)

/** One worked history of the ladder. */
export interface LadderHistory {
  readonly name: string
  readonly policies: readonly RateLimitOptions<unknown>[]
  readonly clientIp?: ClientIpOptions
  /** The code with which creation refuses; then there are no steps. */
  readonly refused?: string
  readonly steps: readonly HistoryStep[]
}

/** The client of every step that names no other one. */
export const CLIENT = '203.0.113.7'
