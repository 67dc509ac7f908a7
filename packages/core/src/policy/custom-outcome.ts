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
  // A copy, as a decision is frozen and plain JSON; what cannot be that throws here.
  const plain: unknown = evidence && JSON.parse(JSON.stringify(evidence))
  if (plain !== undefined && !Array.isArray(plain)) throw new TypeError('The evidence is no array.')
  const given = plain as typeof evidence // what JSON holds of it
  if (action === 'allow') return { action, policy, ...(given && { evidence: given }) }
  const seconds = Number(retryAfter)
  const known = WORDS.find((each) => each === reason) ?? REASONS[action]
  return {
    action,
    policy,
    ...(known && { reason: known }),
    ...(retryAfter !== undefined && Number.isFinite(seconds) && { retryAfter: Math.max(1, Math.ceil(seconds)) }),
    evidence: given ?? [{ kind: 'custom', detail: policy }],
  }
}
