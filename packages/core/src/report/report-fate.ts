/**
 * What a rejection by `report()` says of the report.
 * - `duplicate`: the source has one of this address already;
 * - `declined`: it, or the provider, takes no such report;
 * - `refused`: it takes none from this sender;
 * - `later`: it was not taken, and may be sent again;
 * - `unknown`: it may have been taken. It is not sent again: better none than two.
 */
export type ReportFate = 'duplicate' | 'declined' | 'refused' | 'later' | 'unknown'

/** No connection came about, as Node, Deno and Bun say it: nothing can have arrived. */
const UNSENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ConnectionRefused',
  'FailedToOpenSocket',
])
const OPEN: ReadonlySet<string> = new Set(['IPGUARD_PROVIDER_TIMEOUT', 'IPGUARD_PROVIDER_ANSWER'])
/** As `fetch` rejects when a connection broke. */
const BROKEN: ReadonlySet<string> = new Set(['TypeError', 'AbortError', 'TimeoutError'])

export function reportFate(error: unknown): ReportFate {
  let fate: ReportFate = 'later'
  let each: unknown = error
  for (let depth = 0; depth < 8 && typeof each === 'object' && each !== null; depth++) {
    const code: unknown = Reflect.get(each, 'code')
    const name: unknown = Reflect.get(each, 'name')
    if (code === 'IPGUARD_REPORT_DUPLICATE') return 'duplicate'
    if (code === 'IPGUARD_REPORT_DECLINED') return 'declined'
    if (code === 'IPGUARD_PROVIDER_REFUSED') return 'refused'
    // The source has answered.
    if (code === 'IPGUARD_PROVIDER_QUOTA' || typeof Reflect.get(each, 'retryAfter') === 'number') return 'later'
    if (Reflect.get(each, 'uncertain') === true) return 'unknown'
    if (typeof code === 'string' && UNSENT.has(code)) return 'later'
    const broken = typeof code === 'string' && (OPEN.has(code) || !code.startsWith('IPGUARD_'))
    if (broken || (typeof name === 'string' && BROKEN.has(name))) fate = 'unknown'
    each = Reflect.get(each, 'cause')
  }
  return fate
}

/** Milliseconds after which the source wants to be asked again, when it said so: up to a day. */
export function retryAfterOf(error: unknown): number {
  const told: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'retryAfter') : undefined
  return typeof told === 'number' && told > 0 ? Math.min(told, 86_400_000) : 0
}
