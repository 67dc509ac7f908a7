import { IpGuardError } from '@ipguard/core'

/** Why an update is not used. */
export type RefusalReason =
  | 'empty'
  | 'html'
  | 'truncated'
  | 'unreadable'
  | 'bad-lines'
  | 'too-broad'
  | 'too-large'
  | 'too-many'
  | 'grown'
  | 'shrunk'
  | 'older'

export interface Refusal extends IpGuardError {
  readonly reason: RefusalReason
}

/** The error for an update that is not used; `message` says what was received. */
export function refusal(reason: RefusalReason, message: string): Refusal {
  return Object.assign(new IpGuardError('IPGUARD_FEED_REFUSED', message), { reason })
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof IpGuardError && 'reason' in error
}
