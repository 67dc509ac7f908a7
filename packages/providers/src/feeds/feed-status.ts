import type { Finding, IpGuardErrorCode } from '@ipguard/core'
import type { RefusalReason } from './refusal.ts'

/** What every attempt to refresh says of itself. Times are epoch ms. */
interface Attempt {
  readonly feed: string
  readonly at: number
  /** How long it took, in ms. */
  readonly took: number
  readonly from: 'source' | 'cache'
}

/** A new set is in use. */
export interface FeedLoaded extends Attempt {
  readonly type: 'loaded'
  readonly entries: number
  /** Records that were no addresses, and were dropped. */
  readonly bad: number
  /** Entries that lay in special ranges, such as 10.0.0.0/8, and were dropped or cut. */
  readonly special: number
}

/** The source has nothing new. */
export interface FeedUnchanged extends Attempt {
  readonly type: 'unchanged'
}

/** What came is not used; the set of before stays. */
export interface FeedRefused extends Attempt {
  readonly type: 'refused'
  readonly code: IpGuardErrorCode
  readonly reason: RefusalReason | 'damaged'
  readonly message: string
}

/** Nothing came; the set of before stays. */
export interface FeedFailed extends Attempt {
  readonly type: 'failed'
  readonly code: IpGuardErrorCode
  readonly message: string
}

/** The source was not asked: it lets itself be asked again only at `until`, or the feed is closed. */
export interface FeedSkipped {
  readonly type: 'skipped'
  readonly feed: string
  readonly until: number
}

/** What became of one refresh. */
export type FeedOutcome = FeedLoaded | FeedUnchanged | FeedRefused | FeedFailed | FeedSkipped

/** What `feed.on` tells, by name. */
export interface FeedEvents {
  readonly loaded: FeedLoaded
  readonly unchanged: FeedUnchanged
  readonly refused: FeedRefused
  readonly failed: FeedFailed
}

/** How a feed stands. Plain JSON; times are epoch ms. */
export interface FeedStatus {
  readonly name: string
  /**
   * `idle`: nobody has asked for it yet; `loading`: the first set is on its way; `ready`; `stale`: in use, and too old; `empty-handed`: there
   * is no set, the last attempt did not bring one; `closed`.
   */
  readonly state: 'idle' | 'loading' | 'ready' | 'stale' | 'empty-handed' | 'closed'
  /** Of the set in use. */
  readonly entries: number
  /** When the set in use was read from its source. */
  readonly loadedAt?: number
  /** When the source last said that the set in use is its newest. */
  readonly checkedAt?: number
  /** Milliseconds since `checkedAt`. */
  readonly age?: number
  /** The list's own date, where it has one. */
  readonly sourceDate?: number
  /** What the source calls the version in use. */
  readonly etag?: string
  readonly lastModified?: string
  /** Attempts in a row that brought nothing usable. */
  readonly failures: number
  /** Why the last attempt brought nothing usable. */
  readonly error?: {
    readonly code: IpGuardErrorCode
    readonly message: string
    readonly reason?: string
    readonly at: number
  }
  /** Records of the set in use that were no addresses, and the first few of them. */
  readonly bad: { readonly count: number; readonly sample: readonly string[] }
  /** Entries of the set in use that lay in special ranges, and were dropped or cut. */
  readonly special: number
  /** When the source is asked next. */
  readonly nextAt?: number
}

/** What `onWarning` of a feed is told. */
export type FeedWarning = Finding
