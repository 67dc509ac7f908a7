import type { IpGuardErrorCode } from '../errors.ts'
import type { Address } from '../ip/address.ts'
import type { Verdict } from '../reputation/provider.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { Hit, HitReply } from '../store/hit.ts'
import type { Finding, Store } from '../store/store.ts'

/** A look-up has ended, and what it came to under one policy. */
export interface VerdictEvent {
  /** The address that was looked up. */
  readonly ip: string
  readonly provider: string
  /** Absent: not listed. */
  readonly verdict?: Verdict
  /** The policy that asked, and what it says to this address from now on. */
  readonly policy: string
  readonly action: 'allow' | 'challenge' | 'limit' | 'deny'
  /** All providers together, 0 to 100. */
  readonly score: number
}

/** What a policy may use of its guard. One per guard; those derived by `with` share it. */
export interface PolicyHost {
  /** For records. */
  readonly store: Store | undefined
  /** The guard's clock, epoch ms. */
  readonly now: () => number
  /** Calls once after that many ms, by the guard's clock; answers the function that cancels. Keeps no process alive. */
  readonly after: (ms: number, call: () => void) => () => void
  /**
   * Counts beside a decision, all or nothing, over all processes that share the store. Nothing is admitted while the store is away.
   * Without a store this process counts alone.
   */
  readonly hit: (hits: readonly Hit[]) => Awaitable<readonly HitReply[]>
  /** The store is away: the breaker is open. */
  readonly away: () => boolean
  /** Processes that share the store, as the guard was told. */
  readonly instances: number
  /** Private, a trusted proxy, or a known CDN: what a ladder never bans. */
  readonly isInfrastructure: (address: Address) => boolean
  /** Once per code, and per provider that it is about. */
  readonly warn: (warning: Finding, provider?: string) => void
  /** An `error` event; the cause's own text goes into no message. */
  readonly fail: (code: IpGuardErrorCode, message: string, cause: unknown) => void
  /** A `verdict` event. */
  readonly told: (event: VerdictEvent) => void
  /** One of a kind per guard: made at the first call, and shared by all policies that ask with the same key. */
  readonly shared: <T>(key: object, make: (host: PolicyHost) => T) => T
  /** Called when the guard is closed, which waits for it. */
  readonly onClose: (call: () => Awaitable<void>) => void
}
