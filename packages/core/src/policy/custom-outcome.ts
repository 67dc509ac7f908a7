import type { PolicyOutcome, Reason } from './decision.ts'
import type { Outcome } from './policy.ts'

const REASONS: { readonly [action: string]: Reason | undefined } = {
  __proto__: null as never, // a plain look-up table: names of Object's own are no actions
  allow: undefined,
  deny: 'denied',
  limit: 'rate-limited',
  challenge: 'challenge-required',
}

const WORDS: readonly Reason[] = ['denied', 'banned', 'rate-limited', 'challenge-required', 'unknown-client']

/**
 * What a custom policy answered, in the form that replies and logs rely on: known words, whole seconds.
 *
 * @throws {TypeError} when it is no outcome; the policy's `onError` then speaks.
 */
export function customOutcome(policy: string, outcome: Outcome): PolicyOutcome {
  const { action, reason, retryAfter, evidence } = outcome
  if (!(action in REASONS)) throw new TypeError('The outcome has no known action.')
  if (action === 'allow') return { action, policy, ...(evidence && { evidence }) }
  const seconds = Number(retryAfter)
  const known = WORDS.find((each) => each === reason) ?? REASONS[action]
  return {
    action,
    policy,
    ...(known && { reason: known }),
    ...(retryAfter !== undefined && Number.isFinite(seconds) && { retryAfter: Math.max(1, Math.ceil(seconds)) }),
    evidence: evidence ?? [{ kind: 'custom', detail: policy }],
  }
}
