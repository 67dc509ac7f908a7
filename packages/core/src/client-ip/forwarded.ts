import { type Address, parseAddress } from '../ip/address.ts'

/** `separatorBefore`: the value begins inside a quoted string, so its quotes do not pair up. */
export const UNPAIRED = -2

const COMMA = 44
const SEMICOLON = 59
const QUOTE = 34
const BACKSLASH = 92

/** The text between two indexes without optional whitespace, which is SP and HTAB (RFC 9110) and not what `trim` strips. */
export function trimOws(text: string, from: number, to: number): string {
  while (from < to && isOws(text.charCodeAt(from))) from++
  while (from < to && isOws(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isOws(code: number): boolean {
  return code === 32 || code === 9
}

/** Index of the comma before `end`, or -1. */
export function commaBefore(value: string, end: number): number {
  // lastIndexOf takes a negative start for 0, and would find a comma at 0 again
  return end > 0 ? value.lastIndexOf(',', end - 1) : -1
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
    if (code === QUOTE && !isEscaped(value, i)) quoted = !quoted
  }
  return quoted ? UNPAIRED : -1
}

/** A quoted-pair: an odd number of backslashes stands before the index. */
function isEscaped(value: string, index: number): boolean {
  let first = index
  while (value.charCodeAt(first - 1) === BACKSLASH) first--
  return (index - first) % 2 === 1
}

/**
 * The `for` parameter of one element of `Forwarded` (RFC 7239), unquoted; empty when it has none, has two, or has a
 * quote that is not closed. Host and protocol may hold text of the client's, so nothing inside quotes is a parameter.
 */
export function forParameter(element: string): string {
  let found: string | undefined
  for (let from = 0; from <= element.length; ) {
    let quoted = false
    let to = from
    for (; to < element.length; to++) {
      const code = element.charCodeAt(to)
      if (code === SEMICOLON && !quoted) break
      if (code === QUOTE) quoted = !quoted
      else if (code === BACKSLASH && quoted) to++
    }
    if (quoted) return ''
    const pair = trimOws(element, from, to)
    if (pair.slice(0, 4).toLowerCase() === 'for=') {
      if (found !== undefined) return ''
      found = unquote(pair.slice(4))
    }
    from = to + 1
  }
  return found ?? ''
}

function unquote(text: string): string {
  return text.charCodeAt(0) === QUOTE ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
}

/**
 * The address of one hop: an address, `1.2.3.4:5678`, `[2001:db8::1]` or `[2001:db8::1]:443`. `undefined` for anything
 * else: `unknown`, `_hidden`, names, and `0.0.0.0` or `::`, from which no packet comes.
 */
export function parseHop(text: string): Address | undefined {
  let host = text
  if (text.charCodeAt(0) === 91) {
    const close = text.indexOf(']')
    host = text.slice(1, close)
    if (!host.includes(':') || !(close === text.length - 1 || isPort(text, close + 1))) return undefined
  } else {
    const colon = text.indexOf(':')
    if (colon > 0 && text.indexOf(':', colon + 1) < 0) {
      if (!isPort(text, colon)) return undefined
      host = text.slice(0, colon)
    }
  }
  const address = parseAddress(host)
  return address && (address.a | address.b | address.c | address.d) === 0 ? undefined : address
}

/** A port, or the obfuscated port of RFC 7239, with its colon, up to the end of the text. */
function isPort(text: string, colon: number): boolean {
  return /^:(?:\d{1,5}|_[\w.-]+)$/.test(text.slice(colon))
}

/**
 * `CloudFront-Viewer-Address` without its port. CloudFront writes IPv6 without brackets and always adds the port, so
 * here, and only here, the last colon ends the address.
 */
export function viewerAddress(text: string): string {
  const colon = text.lastIndexOf(':')
  return isPort(text, colon) ? text.slice(0, colon) : ''
}
