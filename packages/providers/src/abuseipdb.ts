import { type Category, IpGuardError, invalidOption, type Provider, type Report, type ReportType } from '@ipguard/core'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { type HttpProviderOptions, httpSource } from './http-provider.ts'
import { checkKey, checkQuota } from './http-provider-options.ts'
import { flag, list, number, object, optionalObject, required, text } from './read-json.ts'

/** The options of `abuseipdb`. */
export interface AbuseipdbOptions extends HttpProviderOptions {
  /** Of your account, https://www.abuseipdb.com/account/api. */
  readonly key: string
  /** Reports of how many days count, 1 to 365. @default 30 */
  readonly maxAgeInDays?: number
  /** How many reports a day. @default { perDay: 100 }, of a free account */
  readonly reportQuota?: { readonly perDay?: number }
}

/** The vendor's numbers, https://www.abuseipdb.com/categories. A report needs one, so that what is none of them is "hacking". */
const REPORTED: Readonly<Record<ReportType, number>> = {
  'brute-force': 18,
  spam: 10,
  ddos: 4,
  scan: 14,
  phishing: 7,
  malware: 20,
  bot: 19,
  fraud: 3,
  'web-attack': 21,
  other: 15,
}

/** How long a comment may be. */
const COMMENT = 1_024

/**
 * AbuseIPDB v2 (https://docs.abuseipdb.com): what others have reported of an address; a key is required. It also takes reports, one by one
 * and as a file.
 *
 * Its `abuseConfidenceScore` is the score; 0, and what the vendor has on its list of the harmless, is "not listed". Free: 1,000 look-ups and
 * 100 reports a day, counted before they are sent; paid plans set `quota` and `reportQuota`. It takes the same address once in 15 minutes, and a
 * file five times a day on a free account. Comments are published: nothing personal goes into them. IPv6 is answered. Kept for 12 hours.
 *
 * @example
 * reputation({ providers: [abuseipdb({ key: process.env.ABUSEIPDB_KEY ?? '' })], deny: 90 })
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function abuseipdb(options: AbuseipdbOptions): Provider {
  const { key, maxAgeInDays = 30, reportQuota = { perDay: 100 } } = options ?? {}
  const headers = { key }
  const { provider, send, baseUrl } = httpSource({
    factory: 'abuseipdb',
    options,
    own: ['key', 'maxAgeInDays', 'reportQuota'],
    defaults: {
      baseUrl: 'https://api.abuseipdb.com/api/v2',
      timeout: '5s',
      ttl: { verdict: '12h', unlisted: '12h' },
      quota: { perDay: 1_000 },
    },
    secrets: typeof key === 'string' ? [key] : [],
    version: String(maxAgeInDays),
    request(ipAddress, base) {
      const query = new URLSearchParams({ ipAddress, maxAgeInDays: String(maxAgeInDays) })
      return { url: `${base}/check?${query}`, headers }
    },
    read(answer) {
      const data = object(object(answer.json()).data)
      const score = required(number(data.abuseConfidenceScore), 'a number as abuseConfidenceScore')
      if (flag(data.isWhitelisted)) return undefined
      const categories = categoriesOf(score, flag(data.isTor), text(data.usageType))
      return score <= 0 && categories.length === 0
        ? undefined
        : { score: Math.min(100, Math.max(0, score)), categories }
    },
    retryAfter: resetOf,
  })
  checkKey(key, 'abuseipdb.key')
  checkQuota(reportQuota, 'abuseipdb.reportQuota', ['perDay'])
  if (!Number.isInteger(maxAgeInDays) || maxAgeInDays < 1 || maxAgeInDays > 365) {
    throw invalidOption('abuseipdb.maxAgeInDays', maxAgeInDays, 'a whole number from 1 to 365')
  }

  return {
    ...provider,
    reportWindow: '15m',
    // A free account has five files a day.
    reportManyFrom: 20,
    reportQuota,
    async report(ip, report, context) {
      const body = new URLSearchParams({ ip, categories: String(REPORTED[report.type]), ...proofOf(report) })
      const request = { url: `${baseUrl}/report`, method: 'POST', headers, body }
      await send(request, context, readReport, { 429: 'read' })
    },
    async reportMany(reports, context) {
      const body = new FormData()
      body.set('csv', new Blob([csvOf(reports)], { type: 'text/csv' }), 'reports.csv')
      await send({ url: `${baseUrl}/bulk-report`, method: 'POST', headers, body }, context, readBulk)
    },
  }
}

function categoriesOf(score: number, isTor: boolean | undefined, usage: string | undefined): readonly Category[] {
  const found: Category[] = score > 0 ? ['abuse'] : []
  if (isTor) found.push('tor')
  if (usage?.startsWith('Data Center')) found.push('hosting')
  if (usage === 'Search Engine Spider') found.push('crawler')
  return found
}

function proofOf({ message, at }: Report): { readonly comment: string; readonly timestamp: string } {
  return { comment: message.slice(0, COMMENT), timestamp: new Date(at).toISOString() }
}

/** RFC 4180: every field in quotes, quotes doubled, one line each. */
function csvOf(reports: readonly { readonly ip: string; readonly report: Report }[]): string {
  const rows = reports.map(({ ip, report }) => {
    const { comment, timestamp } = proofOf(report)
    return [ip, String(REPORTED[report.type]), timestamp, comment.replace(/[\r\n]+/g, ' ')]
  })
  const quoted = rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(','))
  return `${['IP,Categories,ReportDate,Comment', ...quoted].join('\r\n')}\r\n`
}

/** 429 has two meanings: the day's quota, or this address reported within 15 minutes. */
function readReport(answer: ProviderAnswer): boolean {
  if (answer.status === 200) return required(optionalObject(object(answer.json()).data), 'data') !== undefined
  if (errorParameters(answer).includes('ip')) {
    throw new IpGuardError(
      'IPGUARD_REPORT_DUPLICATE',
      'abuseipdb has a report of this address from the last 15 minutes.',
    )
  }
  throw new IpGuardError('IPGUARD_PROVIDER_QUOTA', 'abuseipdb takes no more reports today.')
}

/** What the errors of an answer are about; nothing when it cannot be read, for its status says enough. */
function errorParameters(answer: ProviderAnswer): readonly unknown[] {
  try {
    const errors = list(object(answer.json()).errors) ?? []
    return errors.map((error) => optionalObject(optionalObject(error)?.source)?.parameter)
  } catch {
    return []
  }
}

function readBulk(answer: ProviderAnswer): boolean {
  const { savedReports, invalidReports } = object(object(answer.json()).data)
  const saved = required(number(savedReports), 'a number as savedReports')
  const errors = (list(invalidReports) ?? []).map((each) => text(optionalObject(each)?.error, 500) ?? '')
  // Rows of addresses that were reported within 15 minutes are refused, and are as good as taken.
  const isWrong = errors.some((error) => !/15 minutes|duplicate|already/i.test(error))
  if (saved === 0 && isWrong) {
    throw new IpGuardError('IPGUARD_PROVIDER_FAILED', `abuseipdb took none of ${errors.length} reports.`)
  }
  return true
}

/** `X-RateLimit-Reset` is in seconds of the epoch; of use when `Retry-After` is not there. */
function resetOf({ headers }: ProviderAnswer): number | undefined {
  const reset = number(headers.get('x-ratelimit-reset'))
  if (headers.has('retry-after') || reset === undefined) return undefined
  return Math.min(Math.max(0, reset * 1_000 - Date.now()), 86_400_000)
}
