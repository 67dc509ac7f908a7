import { type Duration, parseDuration } from '../duration.ts'
import { checkOptions, checkWhole, invalidOption } from '../options.ts'
import type { Provider } from '../reputation/provider.ts'
import { createRedactor, type Redactor } from './redact.ts'

/** Whom a guard reports to, of whom, and how much; a dry run unless `dryRun: false`. */
export interface ReportsOptions {
  /** Whom to tell: providers that can report. */
  readonly providers: readonly Provider[]
  /** Sends nothing; events, the log and `metrics()` say what would have been sent. @default true */
  readonly dryRun?: boolean
  /** One report in this time of one client (an IPv6 client is its /64) to one provider. @default '1h', or the provider's `reportWindow` if longer */
  readonly window?: Duration
  /** Reports in 24 hours to each provider, over all processes that share the store. @default the provider's `reportQuota`, or 100 */
  readonly perDay?: number
  /** An automatic report needs this many strikes, whatever its tier says. @default 3 */
  readonly minStrikes?: number
  /** Reports that wait in this process for one provider, at most: the oldest goes first. @default 1000 */
  readonly maxQueue?: number
  /** How often a report that was not taken is sent again: after 30 s, 1, 2, 4, 8 minutes, or when the source says. @default 5 */
  readonly retries?: number
  /** Changes a message before ipguard redacts it. If it throws, nothing is sent. */
  readonly redact?: (message: string) => string
  /** Texts of 4 to 4,096 characters that stand in no message: plain, in URLs, JSON, hex or base64. */
  readonly secrets?: readonly string[]
}

/** Checked, in milliseconds. */
export interface ReportPlan {
  readonly dryRun: boolean
  readonly minStrikes: number
  readonly maxQueue: number
  readonly retries: number
  readonly redact: Redactor
  readonly sources: readonly ReportSource[]
}

export interface ReportSource {
  readonly provider: Provider & Required<Pick<Provider, 'report'>>
  readonly window: number
  readonly perDay: number
  /** The deadline of one attempt. */
  readonly timeout: number
}

const KNOWN = [
  'providers',
  'dryRun',
  'window',
  'perDay',
  'minStrikes',
  'maxQueue',
  'retries',
  'redact',
  'secrets',
] as const // prettier-ignore

/** Of a source that is told, in ms: the day's count has to know how late a report may arrive. */
export const LONGEST_TIMEOUT = 60_000

const WHOLE = { perDay: 1, minStrikes: 1, maxQueue: 1, retries: 0 } as const

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID` */
export function planReports(options: ReportsOptions, option = 'createGuard.reports'): ReportPlan {
  checkOptions(options, KNOWN, option)
  const { providers, dryRun = true, redact, secrets = [] } = options
  if (!Array.isArray(providers) || providers.length === 0)
    throw invalidOption(
      `${option}.providers`,
      providers,
      'at least one provider that can report, like [abuseipdb({ key })]',
    )
  if (typeof dryRun !== 'boolean') throw invalidOption(`${option}.dryRun`, dryRun, 'true or false')
  if (redact !== undefined && typeof redact !== 'function')
    throw invalidOption(`${option}.redact`, redact, 'a function')
  for (const [name, least] of Object.entries(WHOLE))
    checkWhole(`${option}.${name}`, options[name as keyof typeof WHOLE], least) // the keys of the table
  // What was received is not shown: it is a secret.
  if (
    !Array.isArray(secrets) ||
    secrets.some((each) => typeof each !== 'string' || each.length < 4 || each.length > 4096)
  )
    throw invalidOption(`${option}.secrets`, 'not as expected', 'an array of texts of 4 to 4096 characters each')
  return {
    dryRun,
    minStrikes: options.minStrikes ?? 3,
    maxQueue: options.maxQueue ?? 1000,
    retries: options.retries ?? 5,
    redact: createRedactor(secrets, redact),
    sources: providers.map((provider: Provider, i) => planSource(provider, i, options, option)),
  }
}

function planSource(provider: Provider, i: number, options: ReportsOptions, option: string): ReportSource {
  const where = `${option}.providers[${i}]`
  if (
    typeof provider !== 'object' ||
    provider === null ||
    typeof provider.name !== 'string' ||
    !/^[\w.-]{1,64}$/.test(provider.name)
  )
    throw invalidOption(
      where,
      provider,
      "a provider with a name of letters, digits, '-', '_' and '.', like abuseipdb({ key })",
    )
  if (options.providers.findIndex(({ name }) => name === provider.name) !== i)
    throw invalidOption(`${where}.name`, provider.name, 'another name: two providers would share their budget')
  if (!canReport(provider)) throw invalidOption(where, provider.name, 'a provider with report(): this one only answers')
  const least = parseDuration(provider.reportWindow ?? '15m', `${where}.reportWindow`)
  const window =
    options.window === undefined ? Math.max(3_600_000, least) : parseDuration(options.window, `${option}.window`)
  if (window < least)
    throw invalidOption(`${option}.window`, options.window, `at least ${least} ms, which ${provider.name} asks for`)
  return {
    provider,
    window,
    perDay: options.perDay ?? provider.reportQuota?.perDay ?? 100,
    timeout: Math.min(LONGEST_TIMEOUT, parseDuration(provider.timeout ?? '5s', `${where}.timeout`)),
  }
}

function canReport(provider: Provider): provider is ReportSource['provider'] {
  return typeof provider.report === 'function'
}
