const LABEL = '(?!-)[A-Za-z0-9-]{1,63}(?<!-)'
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`)
const MASK = /^[a-z0-9-]{0,62}\*$/

/** What a trusted name ends with; `start`: how its one further label begins, where the operator says so. */
export interface Suffix {
  readonly start: string | undefined
  readonly rest: string
}

/**
 * A name of the DNS in one form: lower case, without the root's dot. Undefined for what is no name of a host: with other characters than
 * letters, digits and hyphens, without a dot, too long, or an address.
 */
export function hostName(name: unknown): string | undefined {
  if (typeof name !== 'string' || name.length > 254) return undefined
  const host = name.endsWith('.') ? name.slice(0, -1) : name
  // The characters are checked before the case is changed: some others become letters by that.
  if (host.length > 253 || !HOST.test(host) || /\.\d+$/.test(host)) return undefined
  return host.toLowerCase()
}

/** A domain of two labels or more, or a mask for the label before it: `search.msn.com`, `crawl-*.googlebot.com`. Undefined for anything else. */
export function parseSuffix(text: unknown): Suffix | undefined {
  if (typeof text !== 'string') return undefined
  const dot = text.indexOf('*.') + 1
  const rest = hostName(dot > 0 ? text.slice(dot + 1) : text)
  if (rest === undefined) return undefined
  if (dot === 0) return { start: undefined, rest }
  const mask = text.slice(0, dot).toLowerCase()
  return MASK.test(mask) ? { start: mask.slice(0, -1), rest } : undefined
}

/** Whether the name, as `hostName` gave it, ends with the suffix, label by label. */
export function isUnder(host: string, { start, rest }: Suffix): boolean {
  if (start === undefined) return host === rest || host.endsWith(`.${rest}`)
  const dot = host.indexOf('.')
  return host.startsWith(start) && dot > start.length && host.slice(dot + 1) === rest
}
