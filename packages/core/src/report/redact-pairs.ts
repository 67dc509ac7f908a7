/** Names of what is secret wherever they stand in a name. */
const INSIDE =
  /pass|pwd|secret|token|key|sess|auth|cookie|cred|bearer|jwt|csrf|xsrf|signature|private|otp|e-?mail|phone|saml|cvv|cvc/i
/** Names of what is secret as a whole word. */
const WORD = /(?:^|[^a-z])(?:sid|pin|sig|hash|salt|nonce|user|username|iban|ssn)(?:[^a-z]|$)/i

/** What stands between a name and its value. */
const SEPARATORS = /[:=>]|%3[ad]/gi

/** How far back a name is looked for. */
const LOOK_BACK = 64

/**
 * The values behind names of secrets: up to the end of the line behind ":" and ">", as of a header, and to the next space or separator
 * behind "=".
 */
export function redactPairs(line: string, mark: string): string {
  let out = ''
  let from = 0
  for (const found of line.matchAll(SEPARATORS)) {
    const [separator] = found
    if (found.index < from || !isSecret(nameBefore(line, found.index))) continue
    const start = found.index + separator.length
    const end = separator === '=' || /%3d/i.test(separator) ? valueEnd(line, start) : line.length
    if (line.slice(start, end).trim() === '') continue
    out += `${line.slice(from, start)}${mark}`
    from = end
  }
  return out + line.slice(from)
}

/** With up to four quotes, spaces or parts of an arrow between it and the separator. */
function nameBefore(line: string, index: number): string {
  const least = Math.max(0, index - LOOK_BACK)
  let end = index
  while (end > least && index - end < 4 && BETWEEN.includes(line.charAt(end - 1))) end--
  let start = end
  while (start > least && isNamePart(line.charCodeAt(start - 1))) start--
  return line.slice(start, end)
}

const BETWEEN = ' \t\n\u00a0"\'`]>=-'

/** A letter, a figure, "_", "." or "-". */
function isNamePart(code: number): boolean {
  const lower = code | 32
  return (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57) || code === 95 || code === 45 || code === 46
}

function isSecret(name: string): boolean {
  return INSIDE.test(name) || WORD.test(name)
}

/** Of a quoted value its closing quote, else the next character that can be in none. */
function valueEnd(line: string, start: number): number {
  let i = start
  while (i < line.length && /[\s=>]/.test(line.charAt(i))) i++
  const quote = line.charAt(i)
  if (quote === '"' || quote === "'") {
    const close = line.indexOf(quote, i + 1)
    return close < 0 ? line.length : close + 1
  }
  while (i < line.length && !/[\s&;,]/.test(line.charAt(i))) i++
  return i
}
