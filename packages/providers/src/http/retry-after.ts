/** No source closes for longer; more would be a mistake in a header. */
const LONGEST = 31 * 86_400_000

/** What `Retry-After` says (seconds or a date, RFC 9110 section 10.2.3), in ms from now; undefined when it says nothing. */
export function retryAfterOf(headers: Headers, now: number = Date.now()): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.ceil(ms)), LONGEST) : undefined
}
