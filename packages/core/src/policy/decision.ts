import type { Client } from '../client-ip/client.ts'
import type { Category } from '../reputation/category.ts'
import type { Entry } from '../store/entry.ts'

/** What to do with the request. `deny` is the only word for refusing. */
export type Action = 'allow' | 'challenge' | 'limit' | 'deny'

/** Why a request is refused, in words that give no rule away. */
export type Reason = 'denied' | 'banned' | 'rate-limited' | 'challenge-required' | 'unknown-client'

/** One fact that alone would lead to the same decision again. */
export type Evidence =
  | { readonly kind: 'list'; readonly cidr: string; readonly label?: string }
  | { readonly kind: 'not-listed'; readonly ip: string }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | {
      readonly kind: 'limit'
      readonly limit: number
      readonly window: number
      readonly cost: number
      readonly remaining: number
    }
  | { readonly kind: 'strikes'; readonly strikes: number; readonly tier: string }
  | { readonly kind: 'no-client' }
  | ReputationEvidence
  | { readonly kind: 'unknown'; readonly providers: readonly string[] }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'custom'; readonly detail: string }

/** What providers have told, and what it comes to: `score` is `fuse` over the verdicts and the scores of categories. */
export interface ReputationEvidence {
  readonly kind: 'reputation'
  readonly score: number
  readonly verdicts: readonly ReputationVoice[]
  /** Scores that the policy gives to categories, each once. */
  readonly categories?: readonly { readonly category: Category; readonly score: number }[]
}

/** What one provider has told. */
export interface ReputationVoice {
  readonly provider: string
  readonly score: number
  readonly weight: number
  readonly confidence?: number
  readonly categories?: readonly Category[]
  readonly detail?: string
  /** Epoch ms when it told so. */
  readonly at: number
  /** It is being asked again. */
  readonly stale?: boolean
}

/** How one limit stands after this request. */
export interface LimitState {
  readonly policy: string
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  readonly remaining: number
  /** Epoch ms when everything counted now will be forgotten. */
  readonly resetAt: number
}

/** What one policy would have done, had it been enforced. */
export interface PolicyOutcome {
  readonly action: Action
  readonly policy: string
  readonly reason?: Reason
  /** Whole seconds until the request would pass; at least 1. */
  readonly retryAfter?: number
  /** Epoch ms when the ban ends. */
  readonly expires?: number
  /** The ladder's tier. */
  readonly tier?: string
  readonly evidence?: readonly Evidence[]
}

/**
 * The answer to "may this client come in?". Frozen, plain JSON, the same in logs, events and replies; the schema is
 * `docs/decision.schema.json`.
 */
export interface Decision extends Partial<PolicyOutcome> {
  readonly action: Action
  /** Epoch ms when the decision was made. */
  readonly at: number
  /** Absent when the client is unknown. */
  readonly client?: Client
  /** Opaque, in the reply to a refusal too, so that a person who was refused can be helped. Absent on `allow`. */
  readonly id?: string
  /** All limits that counted this request. */
  readonly limits?: readonly LimitState[]
  /** What shadow policies would have done. */
  readonly shadow?: readonly PolicyOutcome[]
  /** What could not be asked and took its fail policy instead: names of policies, or `entries`. */
  readonly degraded?: readonly string[]
  /** What is being looked up in the background. */
  readonly pending?: readonly string[]
}
