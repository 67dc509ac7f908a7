/** What the parsers here found: the words of the last address. */
export const words: Int32Array = new Int32Array(4)

const HEX = new Int8Array(256).fill(-1)
for (let value = 0; value < 16; value++) {
  HEX[value.toString(16).charCodeAt(0)] = value
  HEX[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

/** The cheapest strict IPv4 parser: one pass, no object. -1 for no address, else the offset behind it; the word is in `words`. */
export function parse4(text: string, from: number, end: number): number {
  let word = 0
  let i = from
  for (let part = 0; part < 4; part++) {
    let octet = text.charCodeAt(i++) - 48
    if (octet < 0 || octet > 9) return -1
    let code = i < end ? text.charCodeAt(i) - 48 : -1
    if (code >= 0 && code <= 9) {
      if (octet === 0) return -1
      octet = octet * 10 + code
      code = ++i < end ? text.charCodeAt(i) - 48 : -1
      if (code >= 0 && code <= 9) {
        octet = octet * 10 + code
        if (octet > 255) return -1
        code = ++i < end ? text.charCodeAt(i) - 48 : -1
      }
    }
    word = (word << 8) | octet
    if (part < 3 && (code !== -2 || ++i >= end)) return -1
  }
  words[0] = word
  return i
}

const groups = new Uint16Array(8)

/** The cheapest IPv6 parser: groups and one gap, an IPv4 tail, no zone. */
export function parse6(text: string, from: number, end: number): number {
  let count = 0
  let gap = -1
  let i = from
  if (text.charCodeAt(i) === 58) {
    if (text.charCodeAt(i + 1) !== 58) return -1
    gap = 0
    i += 2
  }
  while (i < end && count < 8) {
    const start = i
    let value = 0
    let digit = HEX[text.charCodeAt(i) & 255] ?? -1
    while (digit >= 0 && i - start < 4) {
      value = (value << 4) | digit
      digit = ++i < end ? (HEX[text.charCodeAt(i) & 255] ?? -1) : -1
    }
    if (i === start) break
    const code = i < end ? text.charCodeAt(i) : -1
    if (code === 46) {
      i = parse4(text, start, end)
      if (i < 0 || count > 6) return -1
      const word = words[0] ?? 0
      groups[count++] = word >>> 16
      groups[count++] = word & 0xffff
      break
    }
    groups[count++] = value
    if (code !== 58) break
    if (text.charCodeAt(i + 1) === 58) {
      if (gap >= 0) return -1
      gap = count
      i++
    }
    i++
  }
  if (gap < 0 ? count !== 8 : count === 8) return -1
  if (gap >= 0) {
    groups.copyWithin(8 - count + gap, gap, count)
    groups.fill(0, gap, 8 - count + gap)
  }
  for (let word = 0; word < 4; word++) words[word] = ((groups[2 * word] ?? 0) << 16) | (groups[2 * word + 1] ?? 0)
  return i
}
