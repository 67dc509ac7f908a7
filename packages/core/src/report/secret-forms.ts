/** The texts in which a secret can stand in a message: as it is, encoded for URLs and JSON, in hex, and in base64 wherever it begins. */
export function secretForms(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret)
  const url = encodeURIComponent(secret.replace(/\p{Cs}/gu, '\ufffd'))
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
  const escaped = `%${hex.join('%')}`
  const forms = new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    url,
    url.replaceAll('%20', '+'),
    lowerEscapes(url),
    escaped,
    escaped.toUpperCase(),
    hex.join(''),
    hex.join('').toUpperCase(),
  ])
  for (const lead of [0, 1, 2]) {
    const form = base64Inside(bytes, lead)
    const encoded = encodeURIComponent(form)
    forms.add(form)
    forms.add(form.replaceAll('+', '-').replaceAll('/', '_'))
    forms.add(encoded)
    forms.add(lowerEscapes(encoded))
  }
  return [...forms].filter((form) => form.length >= 4)
}

/** What these bytes become inside a longer base64 text, `lead` bytes behind a multiple of three: without the characters that they share. */
function base64Inside(bytes: Uint8Array, lead: number): string {
  let binary = '\0'.repeat(lead)
  for (const byte of bytes) binary += String.fromCharCode(byte)
  const from = Math.ceil((lead * 8) / 6)
  const to = Math.floor((binary.length * 8) / 6)
  return btoa(binary).slice(from, to)
}

function lowerEscapes(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (found) => found.toLowerCase())
}
