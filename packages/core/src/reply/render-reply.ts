import type { Decision } from '../policy/decision.ts'
import type { Reply } from '../policy/refusal.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'

/** Which headers a reply or an answer carries. */
export interface HeaderOptions {
  /** `RateLimit` headers. @default true */
  readonly rateLimitHeaders?: boolean
  /** Lets scripts of other origins read `Retry-After` and the `RateLimit` headers (`Access-Control-Expose-Headers`). @default false */
  readonly exposeHeaders?: boolean
}

/** Whom a refusal is written for, and what it tells. */
export interface ReplyOptions extends HeaderOptions {
  /** The request's `Accept` header. @default problem+json */
  readonly accept?: string | null | undefined
  /** HEAD is answered without a body. */
  readonly method?: string
  /** Puts the ladder's tier in place of the reason. @default false */
  readonly exposeTier?: boolean
}

/** For people: a title, and what it means for them. */
const WORDS: Readonly<Record<string, readonly [title: string, sentence: string]>> = {
  denied: ['Access denied', 'Your address may not use this site'],
  banned: ['Access denied for a time', 'Your address is blocked for a time'],
  'rate-limited': ['Too many requests', 'You have sent too many requests'],
  'challenge-required': ['A check is required', 'This site must check your browser first'],
}

/**
 * What to send in place of the handler's answer, or undefined on `allow`.
 *
 * Deny and challenge are 403, limit is 429. The body is `application/problem+json` (RFC 9457), text, or a small HTML page, by `accept`. It
 * holds numbers, enums and the decision's opaque id; never an address, nor which list or rule matched.
 *
 * @example
 * reply(decision, { accept: request.headers.get('accept'), method: request.method })
 */
export function reply(decision: Decision, options: ReplyOptions = {}): Reply | undefined {
  if (decision.action === 'allow') return undefined
  const status = decision.action === 'limit' ? 429 : 403
  const reason = decision.reason ?? 'denied'
  const shown = options.exposeTier && decision.tier !== undefined ? decision.tier : reason
  const [title, sentence] = WORDS[reason] ?? ['Access denied', 'Your address could not be told']
  const type = negotiate(options.accept)
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store',
    'Content-Type': `${type}; charset=utf-8`,
    Vary: 'Accept',
    'X-Content-Type-Options': 'nosniff',
    ...(type === 'text/html' && { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'" }),
    ...(decision.id !== undefined && { 'X-Request-Refused': decision.id }),
    ...(decision.retryAfter !== undefined && { 'Retry-After': String(decision.retryAfter) }),
    ...allowHeaders(decision, options),
  }
  const body = options.method === 'HEAD' ? '' : render(type, { status, title, sentence, shown, decision })
  return { status, headers, body }
}

/**
 * The headers of an answer that was let in: `RateLimit-Policy` and `RateLimit`; none when nothing counted.
 *
 * @example
 * for (const [name, value] of Object.entries(allowHeaders(decision))) response.headers.set(name, value)
 */
export function allowHeaders(decision: Decision, options: HeaderOptions = {}): Record<string, string> {
  const { limits, retryAfter, at } = decision
  const headers = limits && options.rateLimitHeaders !== false ? rateLimitHeaders(limits, at) : {}
  if (options.exposeHeaders && (limits || retryAfter !== undefined)) {
    headers['Access-Control-Expose-Headers'] = 'RateLimit, RateLimit-Policy, Retry-After'
  }
  return headers
}

type MediaType = 'application/problem+json' | 'text/html' | 'text/plain'

/** The best of three by quality; a tie goes to JSON, then HTML. Linear; a header that makes no sense is JSON. */
function negotiate(accept: string | null | undefined): MediaType {
  let best: MediaType = 'application/problem+json'
  let most = 0
  for (const part of (accept ?? '').slice(0, 1024).toLowerCase().split(',')) {
    const [range = '', ...parameters] = part.split(';').map((each) => each.trim())
    const quality = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? 1)
    const type = mediaType(range)
    if (type && quality > most) {
      best = type
      most = quality
    }
  }
  return best
}

function mediaType(range: string): MediaType | undefined {
  if (
    range === '*/*' ||
    range === 'application/*' ||
    range === 'application/json' ||
    range === 'application/problem+json'
  )
    return 'application/problem+json'
  if (range === 'text/html' || range === 'application/xhtml+xml') return 'text/html'
  return range === 'text/plain' || range === 'text/*' ? 'text/plain' : undefined
}

interface Shown {
  readonly status: number
  readonly title: string
  readonly sentence: string
  readonly shown: string
  readonly decision: Decision
}

function render(type: MediaType, { status, title, sentence, shown, decision }: Shown): string {
  const { id, retryAfter, expires } = decision
  if (type === 'application/problem+json') {
    const until = expires === undefined ? undefined : new Date(Math.min(expires, 8.64e15)).toISOString()
    return JSON.stringify({
      type: 'about:blank',
      title,
      status,
      error: title,
      reason: shown,
      expires: until,
      retry_after: retryAfter,
      id,
    })
  }
  const lines = [`${sentence} (${shown}).`]
  if (retryAfter !== undefined) lines.push(`Try again in ${humanTime(retryAfter)}.`)
  if (id !== undefined) lines.push(`If you think this is a mistake, give this reference to the site's owner: ${id}`)
  return type === 'text/plain' ? `${title}. ${lines.join('\n')}\n` : page(title, lines)
}

function humanTime(seconds: number): string {
  for (const [size, unit] of [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ] as const) {
    const count = Math.ceil(seconds / size)
    if (seconds >= size) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return `${seconds} second${seconds === 1 ? '' : 's'}`
}

/** All that is put in is an enum, a number, a checked tier name or an id; escaped all the same, as ids may be the application's. */
function page(title: string, lines: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${escapeHtml(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem;color-scheme:light dark}h1{font-size:1.5rem}</style></head>
<body><h1>${escapeHtml(title)}</h1>${lines.map((each) => `<p>${escapeHtml(each)}</p>`).join('')}</body></html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
