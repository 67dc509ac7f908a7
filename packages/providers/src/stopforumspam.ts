import { type Category, invalidOption, type Provider, type Verdict } from '@ipguard/core'
import { checkScores, flagScore } from './flag-score.ts'
import { type HttpProviderOptions, httpSource } from './http-provider.ts'
import { type Fields, flag, list, number, object, required } from './read-json.ts'
import { checkReporting, type StopforumspamReporting, stopforumspamReport } from './stopforumspam-report.ts'
import { vendorError } from './vendor-error.ts'
import { inRange, verdictOf } from './verdict-of.ts'
import { versionOf } from './version-of.ts'

export type { StopforumspamReporting } from './stopforumspam-report.ts'

/** The options of `stopforumspam`. */
export interface StopforumspamOptions extends HttpProviderOptions {
  /** How Tor exits count: as bad, or not at all. @default the vendor's: as what has been reported of them */
  readonly torExits?: 'bad' | 'ignore'
  /** Also the addresses that are listed as a whole, with no report of their own. @default true */
  readonly blacklists?: boolean
  /** What `spam` counts for where the answer has no confidence. @default `FLAG_SCORES` */
  readonly scores?: Readonly<Partial<Record<Category, number>>>
  /** Tells the vendor of spammers, with reports of type `spam` and nothing else. @default none */
  readonly reporting?: StopforumspamReporting
}

const OWN = ['torExits', 'blacklists', 'scores', 'reporting']

/**
 * StopForumSpam: how often, and how surely, an address has spammed forums, registrations and comments.
 *
 * **Never on every connection:** the vendor takes that as an attack and blocks the server. Use it in a policy of its own with `when`, on
 * the routes that register or post. No key; 20,000 look-ups a day, the default quota. IPv4; nothing is promised for IPv6. The
 * vendor's confidence is the score; an address that is listed as a whole scores 100. Kept for 24 hours (this project's choice).
 *
 * @example
 * const provider = stopforumspam({ torExits: 'bad' })
 * // reputation({ providers: [provider], when: onPaths('/register'), deny: 90 })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function stopforumspam(options: StopforumspamOptions = {}): Provider {
  const { scores, reporting } = options ?? {}
  checkScores(scores, 'stopforumspam')
  if (reporting !== undefined) checkReporting(reporting)
  const settings = settingsOf(options)
  const { provider, send } = httpSource({
    factory: 'stopforumspam',
    options,
    own: OWN,
    defaults: {
      baseUrl: 'https://api.stopforumspam.org',
      quota: { perDay: 20_000 },
      ttl: { verdict: '24h', unlisted: '24h' },
    },
    secrets: reporting === undefined ? [] : [reporting.key],
    version: versionOf(settings, scores),
    request: (ip, baseUrl) => ({ url: `${baseUrl}/api?ip=${encodeURIComponent(ip)}&f=json&confidence${settings}` }),
    read: (answer) => read(object(answer.json()), scores),
  })
  return reporting === undefined
    ? provider
    : { ...provider, reportTypes: ['spam'], report: stopforumspamReport(reporting, send) }
}

function settingsOf({ torExits, blacklists = true }: StopforumspamOptions): string {
  if (torExits !== undefined && torExits !== 'bad' && torExits !== 'ignore') {
    throw invalidOption('stopforumspam.torExits', torExits, "'bad' or 'ignore'")
  }
  if (typeof blacklists !== 'boolean') throw invalidOption('stopforumspam.blacklists', blacklists, 'true or false')
  const tor = torExits === undefined ? '' : torExits === 'bad' ? '&badtorexit' : '&notorexit'
  return tor + (blacklists ? '' : '&nobadall')
}

function read(body: Fields, scores: StopforumspamOptions['scores']): Verdict | undefined {
  if (flag(body.success) !== true) {
    throw vendorError(
      'stopforumspam',
      body.error,
      body.error === undefined ? 'IPGUARD_PROVIDER_ANSWER' : 'IPGUARD_PROVIDER_FAILED',
    )
  }
  // A field that was asked for several times is an array.
  const entry = object(list(body.ip)?.[0] ?? body.ip)
  const appears = required(flag(entry.appears), 'appears')
  const isTor = flag(entry.torexit) === true
  if (!appears) return isTor ? verdictOf(0, ['tor']) : undefined
  const isBlacklisted = flag(entry.blacklisted) === true
  const score = isBlacklisted ? 100 : (inRange(entry.confidence) ?? flagScore(['spam'], scores))
  const frequency = number(entry.frequency)
  return verdictOf(score, isTor ? ['spam', 'tor'] : ['spam'], {
    detail: isBlacklisted ? 'listed as a whole' : frequency === undefined ? undefined : `reported ${frequency} times`,
  })
}
