import type { Policy } from '../policy/policy.ts'

/**
 * Which policy a refusal is of, by its outcome or decision, in guards whose policies change replies: a decision is plain JSON, and names are
 * not unique.
 */
export const rulers: WeakMap<object, Pick<Policy<never>, 'onRefused'>> = new WeakMap()
