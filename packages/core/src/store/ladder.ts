import { type Duration, parseDuration } from '../duration.ts'
import { describe, IpGuardError } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { REPORT_TYPES, type ReportType } from '../reputation/report.ts'

/** One step of a ladder: `after` strikes inside `within`, a ban of length `ban`. */
export interface LadderTier {
  /** @default 'tier-1', by position */
  readonly name?: string
  readonly ban: Duration
  /** How many strikes. @default the tier's position, from 1 */
  readonly after?: number
  /** How long a strike counts for this tier. @default the ladder's `decay` */
  readonly within?: Duration
  /** Reports who reaches this tier, to the guard's `reports`. Without a message: how many strikes it took, on which limit. @default nothing is reported */
  readonly report?: ReportType | TierReport
}

/** What a report on a tier says. */
export interface TierReport {
  readonly type: ReportType
  readonly message?: string
}

/** The tiers of a ladder, and how strikes turn into bans. */
export interface LadderOptions {
  readonly tiers: readonly LadderTier[]
  /** After this a strike is forgotten. @default '30d' */
  readonly decay?: Duration
  /** Lengthens each ban by up to this share, so that many bans do not end at once. @default 0 */
  readonly jitter?: number
  /** How many banned siblings (/64 of a /56, /56 of a /48) turn into one ban of the wider prefix; `ipv4: true` also for /32 of a /24; false: never. @default 8 */
  readonly widen?: number | false | { readonly count: number; readonly ipv4?: boolean }
  /** `site`: the ban closes everything; `policy`: only what this policy guards. @default 'site' */
  readonly scope?: 'site' | 'policy'
}

/** A checked ladder, in milliseconds. */
export interface Ladder {
  readonly tiers: readonly {
    readonly name: string
    readonly ban: number
    readonly after: number
    readonly within: number
    /** The guard's business; stores have no use for it. */
    readonly report?: TierReport
  }[]
  readonly decay: number
  readonly jitter: number
  /** Infinity: never. */
  readonly widen: number
  readonly widenIpv4: boolean
  readonly scope: 'site' | 'policy'
}

/** @throws {IpGuardError} `IPGUARD_LADDER_INVALID`; `IPGUARD_LADDER_UNREACHABLE` when a tier's strikes can never come together. */
export function parseLadder(input: readonly LadderTier[] | LadderOptions, option: string): Ladder {
  const options: LadderOptions = Array.isArray(input) ? { tiers: input } : (input as LadderOptions) // Array.isArray does not narrow readonly arrays
  checkOptions(options, ['tiers', 'decay', 'jitter', 'widen', 'scope'], option)
  const decay = parseDuration(options.decay ?? '30d', `${option}.decay`)
  const jitter = options.jitter ?? 0
  const scope = options.scope ?? 'site'
  if (!(jitter >= 0 && jitter <= 10)) throw invalid(`${option}.jitter`, jitter, 'a share from 0 to 10, like 0.1')
  if (scope !== 'site' && scope !== 'policy') throw invalid(`${option}.scope`, scope, "'site' or 'policy'")
  if (!Array.isArray(options.tiers) || options.tiers.length === 0) {
    throw invalid(`${option}.tiers`, options.tiers, "at least one tier, like [{ name: 'graylist', ban: '24h' }]")
  }
  const tiers = options.tiers.map((tier: LadderTier, i) => parseTier(tier, i, decay, `${option}.tiers[${i}]`))
  for (let i = 1; i < tiers.length; i++) checkReachable(tiers, i, option)
  return { tiers, decay, jitter, scope, ...parseWiden(options.widen, `${option}.widen`) }
}

function parseTier(tier: LadderTier, position: number, decay: number, option: string): Ladder['tiers'][number] {
  checkOptions(tier, ['name', 'ban', 'after', 'within', 'report'], option)
  const after = tier.after ?? position + 1
  const name = tier.name ?? `tier-${position + 1}`
  if (!Number.isInteger(after) || after < 1 || after > 100)
    throw invalid(`${option}.after`, after, 'a whole number of strikes from 1 to 100')
  if (typeof name !== 'string' || !/^[\w.:-]{1,64}$/.test(name))
    throw invalid(`${option}.name`, name, 'up to 64 letters, digits, "_", ".", ":" or "-"')
  const within = tier.within === undefined ? decay : parseDuration(tier.within, `${option}.within`)
  if (within > decay)
    throw invalid(`${option}.within`, tier.within, `at most the ladder's decay of ${decay} ms, or raise decay`)
  const report = tier.report === undefined ? undefined : parseTierReport(tier.report, `${option}.report`)
  return { name, ban: parseDuration(tier.ban, `${option}.ban`), after, within, ...(report && { report }) }
}

function parseTierReport(given: ReportType | TierReport, option: string): TierReport {
  const report = typeof given === 'string' ? { type: given } : given
  checkOptions(report, ['type', 'message'], option)
  if (!REPORT_TYPES.includes(report.type))
    throw invalid(`${option}.type`, report.type, `one of ${REPORT_TYPES.map((each) => `'${each}'`).join(', ')}`)
  if (report.message !== undefined && typeof report.message !== 'string')
    throw invalid(`${option}.message`, report.message, 'a text')
  return report
}

function checkReachable(tiers: Ladder['tiers'], i: number, option: string): void {
  const tier = tiers[i]
  const before = tiers[i - 1]
  if (!tier || !before) return
  if (tier.after <= before.after) {
    throw invalid(
      `${option}.tiers[${i}].after`,
      tier.after,
      `more strikes than the tier before, which has ${before.after}`,
    )
  }
  // No strike is added while banned: between this tier's strikes lie as many bans of the tier before as are sure to have been given.
  const bans = before.after === 1 || before.within >= tier.within ? tier.after - before.after : 1
  if (bans * before.ban >= tier.within) {
    throw new IpGuardError(
      'IPGUARD_LADDER_UNREACHABLE',
      `${option}.tiers[${i}] ("${tier.name}") is never reached: its ${tier.after} strikes cannot lie inside ${tier.within} ms, as the tier before bans for ${before.ban} ms. Write a "within" above ${bans * before.ban} ms.`,
    )
  }
}

function parseWiden(widen: LadderOptions['widen'], option: string): Pick<Ladder, 'widen' | 'widenIpv4'> {
  if (widen === false) return { widen: Number.POSITIVE_INFINITY, widenIpv4: false }
  if (typeof widen === 'object' && widen !== null) checkOptions(widen, ['count', 'ipv4'], option)
  const count = typeof widen === 'object' ? widen.count : (widen ?? 8)
  if (!Number.isInteger(count) || count < 2 || count > 256)
    throw invalid(option, count, 'a whole number from 2 to 256, or false')
  return { widen: count, widenIpv4: typeof widen === 'object' && widen.ipv4 === true }
}

function invalid(option: string, received: unknown, expected: string): IpGuardError {
  return new IpGuardError('IPGUARD_LADDER_INVALID', `${option} is ${describe(received)}. Write ${expected}.`)
}

/** The highest tier that strikes at these times (ascending, epoch ms) reach at `now`. */
export function reachedTier(
  ladder: Ladder,
  strikes: readonly number[],
  now: number,
): Ladder['tiers'][number] | undefined {
  for (let i = ladder.tiers.length - 1; i >= 0; i--) {
    const tier = ladder.tiers[i]
    const oldest = tier && strikes[strikes.length - tier.after]
    if (tier && oldest !== undefined && now - oldest < tier.within) return tier
  }
  return undefined
}
