import { normalizeIp } from '../ip/address.ts'
import { redactPairs } from './redact-pairs.ts'
import { secretForms } from './secret-forms.ts'

/** Stands in place of what was taken out. */
const MARK = '[redacted]'
/** As long as a report's message may be. */
const LONGEST = 1000
/** As much of a message as is looked at, beside the longest secret. */
const LOOK = 8192
const ESCAPE = /\\(?:\/|u([\da-f]{4}))/gi
const decode = (_: string, hex = '2f'): string => String.fromCharCode(Number.parseInt(hex, 16))

/** Takes out of a message what could be personal or secret; `ip`, the reported address in its canonical text, may stay. */
export type Redactor = (message: string, ip: string) => string

/**
 * Every step is a pass over runs of characters, each read once: what a stranger sends cannot make it slow.
 *
 * Rather too much goes than too little: also a path with figures that is as long as a key.
 */
export function createRedactor(secrets: readonly string[], own?: (message: string) => string): Redactor {
  const all = new Set(secrets.flatMap((secret) => [...secretForms(secret), ...secretForms(clean(secret))]))
  // The longest first, of all secrets together: a shorter one inside it would leave its ends.
  const forms = [...all].sort((x, y) => y.length - x.length)
  const longest = forms[0]?.length ?? 0
  const hide = (text: string): string => forms.reduce((left, form) => left.replaceAll(form, MARK), text)
  const look = LOOK + longest
  return (message, ip) => {
    const given: unknown = own ? own(message) : message
    if (typeof given !== 'string') throw new TypeError('reports.redact answered no text')
    let text = hide(clean(given.slice(0, look)))
    // JSON may be escaped more than it needs; only now, as the secret may have a backslash of its own.
    text = hide(clean(text.replace(ESCAPE, decode)))
    // Where it was cut, the beginning of a secret may stand that is not known by it.
    if (given.length > look) text = text.slice(0, Math.max(0, text.length - longest)).replace(/\S{1,200}$/, '')
    text = text
      .split('\n')
      .map((line) => line && redactLine(line, ip))
      .join(' ')
    return text
      .replace(/ {2,}/g, ' ')
      .trim()
      .slice(0, LONGEST)
      .replace(/[\ud800-\udbff]$/, '')
  }
}

/** Without what prints nothing or turns the text about; other control characters are spaces, and every kind of line end is one. */
function clean(text: string): string {
  return text
    .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
    .replace(/[\p{Cf}\p{Co}\p{Cs}]/gu, '')
    .replace(/[^\P{Cc}\n]/gu, ' ')
}

function redactLine(line: string, ip: string): string {
  const opened = line
    // Keys, hashes, tokens. First: what another rule takes out of such a run would leave the rest too short to be known.
    .replace(/[\w+/=~%.-]{20,}/g, (run) => (isToken(run) ? MARK : redactRun(run)))
    .replace(/\b(bearer|basic|digest|negotiate|ntlm)\s+[^\s[]\S*/gi, `$1 ${MARK}`)
  return (
    redactPairs(opened, MARK)
      .replace(/\?\S+/g, `?${MARK}`)
      // E-mail addresses, and users before a host.
      .replace(/%(?:25)*(3a|2e|40)/gi, decode)
      .replace(/[^\s<>()[\]{},;"]+/g, (part) => (part.includes('@') ? MARK : part))
      .replace(/[\da-f:.]{3,}/gi, (run) => redactIpv6(run, ip))
      .replace(/\d{1,3}(?:[.-]\d{1,3}){3}/g, (text) => (normalizeIp(text) === ip ? text : MARK))
      // As long as the number of a card.
      .replace(/\d(?:(?:[ \u00a0-]|\.(?=\d{4}))?\d){12,}/g, MARK)
  )
}

/** A signed or encrypted JSON token, whose parts may be short. */
function isToken(run: string): boolean {
  const start = run.indexOf('eyJ')
  return start >= 0 && run.indexOf('.', start) > 0
}

function redactRun(run: string): string {
  return run
    .split('.')
    .map((part) => (part.length >= 20 && !isWords(part) ? MARK : part))
    .join('.')
}

/** Lower-case words, as in names of policies and paths. */
function isWords(part: string): boolean {
  return part.split(/[-_/]/).every((word) => /^[a-z]{0,19}$/.test(word))
}

/** Also fingerprints and hardware addresses, which look alike. */
function redactIpv6(run: string, ip: string): string {
  const colons = run.split(':').length - 1
  if (colons < 2 || /^\d{1,2}:\d{2}:\d{2}(?:\.\d{1,9})?\.?$/.test(run)) return run
  const bare = run.replace(/\.$|([^:]):$/, '$1')
  return normalizeIp(run) === ip || normalizeIp(bare) === ip ? run : MARK
}
