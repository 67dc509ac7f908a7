import { type Address, parseAddress } from '../ip/address.ts'

/** `separatorBefore`: the value begins inside a quoted string, so its quotes do not pair up. */
export const UNPAIRED = -2

const COMMA = 44
const SEMICOLON = 59
const QUOTE = 34
const BACKSLASH = 92
/** A port, or the obfuscated port of RFC 7239, with its colon; or nothing. */
const PORT = /^(?::(?:\d{1,5}|_[\w.-]+))?$/

/** The text between two indexes without optional whitespace, which is SP and HTAB (RFC 9110) and not what `trim` strips. */
export function trimOws(text: string, from: number, to: number): string {
  while (from < to && isOws(text.charCodeAt(from))) from++
  while (from < to && isOws(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isOws(code: number): boolean {
  return code === 32 || code === 9
}

/**
 * Index of the comma before `end` that stands outside quoted strings, -1 when there is none, or `UNPAIRED`.
 *
 * Read from the right, what a client wrote cannot reach the elements that proxies added after it: their quotes pair up
 * among themselves, so the comma before them is found whatever stands to its left.
 */
export function separatorBefore(value: string, end: number): number {
  let quoted = false
  for (let i = end - 1; i >= 0; i--) {
    const code = value.charCodeAt(i)
    if (code === COMMA && !quoted) return i
    if (code === QUOTE) {
      let first = i
      while (value.charCodeAt(first - 1) === BACKSLASH) first--
      // an odd number of backslashes before it makes it a character of the string
      if ((i - first) % 2 === 0) quoted = !quoted
    }
  }
  return quoted ? UNPAIRED : -1
}

/**
 * The `for` parameter of one element of `Forwarded` (RFC 7239), unquoted; empty when it has none, has two, or has a
 * quote that is not closed. Host and protocol may hold text of the client's, so nothing inside quotes is a parameter.
 */
export function forParameter(element: string): string {
  let found = ''
  let count = 0
  let from = 0
  let quoted = false
  for (let i = 0; i <= element.length; i++) {
    const code = element.charCodeAt(i)
    if (code === BACKSLASH && quoted) i++
    else if (code === QUOTE) quoted = !quoted
    else if (i === element.length || (code === SEMICOLON && !quoted)) {
      const pair = trimOws(element, from, i)
      from = i + 1
      if (pair.slice(0, 4).toLowerCase() === 'for=') {
        found = pair.slice(4)
        count++
      }
    }
  }
  if (quoted || count !== 1) return ''
  return found.charCodeAt(0) === QUOTE ? found.slice(1, -1).replace(/\\(.)/g, '$1') : found
}

/**
 * The address of one hop: an address, `1.2.3.4:5678`, `[2001:db8::1]` or `[2001:db8::1]:443`. `undefined` for anything
 * else: `unknown`, `_hidden`, names, and `0.0.0.0` or `::`, from which no packet comes.
 */
export function parseHop(text: string): Address | undefined {
  let host = text
  const bracket = text.charCodeAt(0) === 91
  const end = bracket ? text.indexOf(']') + 1 : text.indexOf(':')
  // more than one colon is IPv6, which has a port only behind brackets
  if (bracket || (end > 0 && text.indexOf(':', end + 1) < 0)) {
    host = bracket ? text.slice(1, end - 1) : text.slice(0, end)
    if (!PORT.test(text.slice(end)) || bracket !== host.includes(':')) return undefined
  }
  const address = parseAddress(host)
  return address && (address.a | address.b | address.c | address.d) === 0 ? undefined : address
}

/**
 * `CloudFront-Viewer-Address` without its port. CloudFront writes IPv6 without brackets and always adds the port, so
 * here, and only here, the last colon ends the address.
 */
export function viewerAddress(text: string): string {
  const colon = text.lastIndexOf(':')
  return colon > 0 && PORT.test(text.slice(colon)) ? text.slice(0, colon) : ''
}
