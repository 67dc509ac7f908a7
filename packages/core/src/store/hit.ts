import type { Address } from '../ip/address.ts'
import type { Entry } from './entry.ts'
import type { Ladder } from './ladder.ts'

/**
 * How requests are counted over a window.
 * - `sliding-window` (strict): never more than the limit in any window; never refuses a client that sends at most the limit in every 1.1 windows.
 * - `fixed-window`: windows start at multiples of their length; up to twice the limit can pass around an edge.
 * - `token-bucket`: at most `burst + elapsed / window * limit` in any span of time.
 */
export type Algorithm = 'sliding-window' | 'fixed-window' | 'token-bucket'

/** `all`: as {@link Hit} says. `refusals`: consume nothing, strike on refusal. `none`: only read. */
export type HitCommit = 'all' | 'refusals' | 'none'

/** What stays the same over all hits of one policy. Stores may keep state by the object's identity; equal `id` means the same counter. */
export interface Counter {
  /** Names the counter in the store: namespace, policy name, algorithm and window; never the limit. */
  readonly id: string
  /** The policy's name. */
  readonly policy: string
  readonly algorithm: Algorithm
  /** Milliseconds. 0 when nothing is counted and only strikes are kept. */
  readonly window: number
  /** True for a shadow policy: it changes nothing outside its own namespace. */
  readonly shadow: boolean
  /** The largest limit known at creation, by which a store may choose its number of bytes; Infinity when a function gives it. */
  readonly largest: number
  readonly ladder?: Ladder
  /** How much an instance may take in advance and answer from by itself. A store in the same process has no use for it. */
  readonly lease?: number
  /** The scope of the bans that the ladder brings about. */
  readonly banScope: string
}

/** Whose count it is: the words of an address's prefix and the same as text; or a custom key, whose words are 0 and whose text is a caller's: hash it. */
export interface CounterKey extends Omit<Address, 'family'> {
  /** 4 and 6: a client; 0: a custom key. */
  readonly kind: 0 | 4 | 6
  /** Of the client's prefix, in bits; 0 for a custom key. */
  readonly length: number
  /** Canonical: `203.0.113.7`, `2001:db8::/64`; or up to 2,048 characters of anything. */
  readonly text: string
}

/** One counter of a check. */
export interface Hit {
  readonly counter: Counter
  readonly key: CounterKey
  /** A whole number from 0. */
  readonly limit: number
  /** Token bucket: how much may come at once. Absent: the limit. */
  readonly burst?: number
  /** 0 reads, and no count refuses it; a negative cost gives back what the hit with `slot` consumed, whatever bans stand. */
  readonly cost: number
  /** With a negative cost: `slot` of the reply that consumed. */
  readonly slot?: number
  /** A strike from the application, whatever the count says. */
  readonly strike?: boolean
  /** The ladder does not apply: neither strikes nor bans. */
  readonly exempt?: boolean
  /** A random number in [0, 1), by which the ladder's jitter lengthens a ban. */
  readonly jitter?: number
}

/** Times are whole milliseconds from the `now` of the call: small integers, as a double costs an object of its own in every reply. */
export interface HitReply {
  readonly admitted: boolean
  /** What is left of the limit, after this hit. */
  readonly remaining: number
  /** When everything counted now will be forgotten. */
  readonly resetIn: number
  /** When a request of the same cost would pass; 0 when admitted, MAX_SAFE_INTEGER when never: a permanent ban, or a cost above the limit. */
  readonly retryIn: number
  /** Where it was counted, for a refund: 32 bits with a sign, the store's own. */
  readonly slot: number
  /** How many strikes the client has, when this hit added one or only read. */
  readonly strikes?: number
  /** A ban that stood before this hit on exactly this key. The hit is not admitted, unless it gives back. */
  readonly ban?: Entry
  /** The ban that this hit brought about. */
  readonly banned?: Entry
}
