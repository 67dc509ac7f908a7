/**
 * Every code that ipguard throws or warns with. Each has a page in `docs/errors/`.
 * A code is never renamed or given another meaning.
 */
export type IpGuardErrorCode =
  // configuration, thrown by the factory that was called
  | 'IPGUARD_OPTION_UNKNOWN'
  | 'IPGUARD_OPTION_INVALID'
  | 'IPGUARD_DURATION_INVALID'
  | 'IPGUARD_ADDRESS_INVALID'
  | 'IPGUARD_CIDR_INVALID'
  | 'IPGUARD_TRUST_MISSING'
  | 'IPGUARD_TRUST_INVALID'
  | 'IPGUARD_STORE_MISSING'
  | 'IPGUARD_LADDER_INVALID'
  | 'IPGUARD_LADDER_UNREACHABLE'
  | 'IPGUARD_SET_DAMAGED'
  | 'IPGUARD_REDIS_CLIENT_INVALID'
  | 'IPGUARD_REPUTATION_INVALID'
  | 'IPGUARD_DNS_MISSING'
  | 'IPGUARD_PEER_MISSING'
  // calls on a guard
  | 'IPGUARD_BAN_ALLOWED'
  | 'IPGUARD_LADDER_MISSING'
  | 'IPGUARD_REPORTS_MISSING'
  // warnings, each given once
  | 'IPGUARD_FORWARDED_UNTRUSTED'
  | 'IPGUARD_PEER_PRIVATE_UNTRUSTED'
  | 'IPGUARD_ONE_CLIENT'
  | 'IPGUARD_ALLOW_BEHIND_COUNTER'
  | 'IPGUARD_ALLOW_OVERLAPS_TRUST'
  | 'IPGUARD_ASYNC_BETWEEN_COUNTERS'
  | 'IPGUARD_POLICY_NAME_SHARED'
  | 'IPGUARD_BAN_EXEMPT'
  | 'IPGUARD_STORE_FULL'
  | 'IPGUARD_BANS_FULL'
  | 'IPGUARD_REPLICA_FULL'
  | 'IPGUARD_SNAPSHOT_DAMAGED'
  | 'IPGUARD_SNAPSHOT_FAILED'
  | 'IPGUARD_TRUST_DISAGREES'
  | 'IPGUARD_REDIS_OFFLINE_QUEUE'
  | 'IPGUARD_REDIS_RESENDS'
  | 'IPGUARD_REDIS_EVICTS'
  | 'IPGUARD_REDIS_NOT_PERSISTENT'
  | 'IPGUARD_REDIS_READ_ONLY'
  | 'IPGUARD_REDIS_SETTINGS_DIFFER'
  | 'IPGUARD_REDIS_CLOCK'
  // run time, carried by a rejected part of a decision or by a warning
  | 'IPGUARD_DEADLINE_EXCEEDED'
  | 'IPGUARD_STORE_FAILED'
  | 'IPGUARD_STORE_BUSY'
  | 'IPGUARD_REDIS_NOT_READY'
  | 'IPGUARD_POLICY_FAILED'
  | 'IPGUARD_LISTENER_FAILED'
  | 'IPGUARD_PROVIDER_FAILED'
  | 'IPGUARD_PROVIDER_TIMEOUT'
  | 'IPGUARD_PROVIDER_QUOTA'
  | 'IPGUARD_PROVIDER_REFUSED'
  | 'IPGUARD_PROVIDER_ANSWER'
  | 'IPGUARD_LOOKUPS_DROPPED'
  | 'IPGUARD_FEED_FAILED'
  | 'IPGUARD_FEED_REFUSED'
  | 'IPGUARD_FEED_STALE'
  | 'IPGUARD_REPORT_FAILED'
  | 'IPGUARD_REPORT_DUPLICATE'
  | 'IPGUARD_REPORT_DECLINED'
  | 'IPGUARD_REPORTS_DROPPED'

/**
 * The only error class of ipguard. `message` says what is wrong, what was received and what to write instead;
 * `code` is stable; `cause` is the error underneath, if there is one.
 *
 * @example
 * try { ipSet(['10.0.0.0/33']) } catch (error) {
 *   if (error instanceof IpGuardError && error.code === 'IPGUARD_CIDR_INVALID') console.error(error.message)
 * }
 */
export class IpGuardError extends Error {
  readonly code: IpGuardErrorCode
  /** From a store: only a part of it is away, and may be asked about other clients. */
  declare readonly partial?: boolean
  /** From a source: what was sent may have arrived, so that it must not be sent again where twice is worse than not at all. */
  declare readonly uncertain?: boolean
  /** Milliseconds after which a source may be asked again, when it said so. */
  declare readonly retryAfter?: number

  constructor(
    code: IpGuardErrorCode,
    message: string,
    options?: {
      readonly cause?: unknown
      readonly partial?: boolean
      readonly uncertain?: boolean
      readonly retryAfter?: number
    },
  ) {
    super(message, options)
    this.name = 'IpGuardError'
    this.code = code
    if (options?.partial) this.partial = true
    if (options?.uncertain) this.uncertain = true
    if (options?.retryAfter !== undefined) this.retryAfter = options.retryAfter
  }
}

/**
 * What was received, shortened and with control characters escaped, for use in an error message.
 * Never pass a secret: the text is shown to people and written to logs.
 */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > 60 ? `${value.slice(0, 60)}…` : value
    return JSON.stringify(cut).replace(
      /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  }
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value)
  return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
}
