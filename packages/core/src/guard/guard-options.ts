import type { ClientIpOptions, ClientIpPreset } from '../client-ip/client-ip-options.ts'
import type { Duration } from '../duration.ts'
import { describe, IpGuardError } from '../errors.ts'
import { checkChoice, checkOptions, checkWhole, invalidOption } from '../options.ts'
import type { Decision } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { Reply } from '../policy/refusal.ts'
import { planReports, type ReportsOptions } from '../report/report-options.ts'
import type { GuardRequest } from '../request.ts'
import type { Finding, Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './events.ts'

/** The options of `createGuard`, and of every adapter. */
export interface GuardOptions<Facts = unknown> {
  /** In order; the first that decides ends it. */
  readonly policies: readonly Policy<Facts>[]
  /** Needed as soon as a policy counts, or for bans by hand. @default none (adapters: `memoryStore()`) */
  readonly store?: Store
  /** Where the client's address comes from. @default {}: the socket only, no header is read */
  readonly clientIp?: ClientIpOptions | ClientIpPreset
  /** In `'shadow'` nothing is refused, and decisions say what would have been. @default 'enforce' */
  readonly mode?: 'enforce' | 'shadow'
  /** A request whose client cannot be told: refused, or evaluated under one shared key. @default 'deny' */
  readonly onUnknownClient?: 'deny' | 'evaluate'
  /** Bits of an IPv6 address that make a client, 32 to 128. @default 64 */
  readonly ipv6Prefix?: number
  /** The longest a decision may take. @default '50ms' for the store, '500ms' when a policy waits for something else */
  readonly deadline?: Duration
  /** Processes that share the store: while it is away each counts its share of a limit. @default 1 */
  readonly instances?: number
  /** Clients counted in this process at most while the store is away. @default 100000 */
  readonly maxLocalKeys?: number
  /** Entries that this process keeps a copy of; of bans beyond it the store is asked, if it can be. @default 1000000 */
  readonly maxEntries?: number
  /** Tells others of attackers: by `guard.report`, and from the ladder tiers that say so. @default nobody is told */
  readonly reports?: ReportsOptions
  /** Lets ladders ban private addresses, trusted proxies and the presets' ranges too. @default false */
  readonly banInfrastructure?: boolean
  /** Puts the ladder's tier, such as `graylist`, in place of the reason in replies. @default false */
  readonly exposeTier?: boolean
  /** @default start epoch plus a monotonic clock */
  readonly clock?: Clock
  /** Makes the opaque ids of refusals. @default crypto.randomUUID */
  readonly createId?: () => string
  /** pino, console or the like. @default none */
  readonly logger?: Logger
  /** Each misconfiguration seen, once. @default none (Node adapters: process.emitWarning) */
  readonly onWarning?: (warning: Finding) => void
  /** Changes the reply to a refusal; undefined keeps it. Must not block. */
  readonly onRefused?: (decision: Decision, reply: Reply, request: GuardRequest) => Reply | undefined
}

const KNOWN = [
  'policies',
  'store',
  'clientIp',
  'mode',
  'onUnknownClient',
  'ipv6Prefix',
  'deadline',
  'instances',
  'maxLocalKeys',
  'maxEntries',
  'reports',
  'banInfrastructure',
  'exposeTier',
  'clock',
  'createId',
  'logger',
  'onWarning',
  'onRefused',
] as const // prettier-ignore

const FUNCTIONS = { clock: ['now'], logger: ['info', 'warn', 'error'], store: ['hit', 'get', 'set', 'delete'] } as const

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_STORE_MISSING` */
export function checkGuardOptions<Facts>(options: GuardOptions<Facts>): void {
  checkOptions(options, KNOWN, 'createGuard')
  checkPolicies(options.policies, 'createGuard.policies')
  checkChoice('createGuard.mode', options.mode, ['enforce', 'shadow'])
  checkChoice('createGuard.onUnknownClient', options.onUnknownClient, ['deny', 'evaluate'])
  for (const key of ['createId', 'onWarning', 'onRefused'] as const) {
    if (options[key] !== undefined && typeof options[key] !== 'function')
      throw invalidOption(`createGuard.${key}`, options[key], 'a function')
  }
  for (const key of ['banInfrastructure', 'exposeTier'] as const) {
    if (options[key] !== undefined && typeof options[key] !== 'boolean')
      throw invalidOption(`createGuard.${key}`, options[key], 'true or false')
  }
  for (const [key, methods] of Object.entries(FUNCTIONS)) {
    const value: unknown = options[key as keyof typeof FUNCTIONS] // the keys of the table
    if (value === undefined) continue
    const missing = methods.find(
      (name) => typeof value !== 'object' || value === null || typeof Reflect.get(value, name) !== 'function',
    )
    if (missing)
      throw invalidOption(
        `createGuard.${key}`,
        value,
        `an object with ${methods.map((name) => `${name}()`).join(', ')}`,
      )
  }
  for (const key of ['instances', 'maxLocalKeys', 'maxEntries'] as const)
    checkWhole(`createGuard.${key}`, options[key], 1)
  checkReports(options)
  const counting = options.policies.find((policy) => policy.count !== undefined)
  if (counting && !options.store) {
    throw new IpGuardError(
      'IPGUARD_STORE_MISSING',
      `Policy ${describe(counting.name)} counts, and createGuard has no store. Write store: memoryStore(), with memoryStore from @ipguard/store-memory, or a store that several processes share.`,
    )
  }
}

function checkReports<Facts>({ reports, policies, store }: GuardOptions<Facts>): void {
  if (reports !== undefined) planReports(reports)
  if (reports !== undefined && !store) {
    throw new IpGuardError(
      'IPGUARD_STORE_MISSING',
      'createGuard.reports needs a store, so that nothing is reported twice. Write store: memoryStore(), with memoryStore from @ipguard/store-memory, or a store that several processes share.',
    )
  }
  const reporting = policies.find((policy) => policy.counter?.(false).ladder?.tiers.some(({ report }) => report))
  if (reporting && reports === undefined) {
    throw new IpGuardError(
      'IPGUARD_REPORTS_MISSING',
      `The ladder of policy ${describe(reporting.name)} reports, and createGuard has nobody to tell. Write reports: { providers: [abuseipdb({ key })] }, with a provider that can report.`,
    )
  }
}

export function checkPolicies(policies: unknown, option: string): void {
  if (!Array.isArray(policies))
    throw invalidOption(option, policies, "an array, like [rateLimit({ limit: 60, window: '60s' })]")
  for (const [i, policy] of policies.entries()) {
    if (
      typeof policy !== 'object' ||
      policy === null ||
      typeof Reflect.get(policy, 'evaluate') !== 'function' ||
      typeof Reflect.get(policy, 'name') !== 'string'
    ) {
      throw invalidOption(
        `${option}[${i}]`,
        policy,
        'a policy, like allow([...]) or rateLimit({...}), or policy({ name, evaluate })',
      )
    }
  }
}
