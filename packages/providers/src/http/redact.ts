/** In place of what was taken out. */
const REDACTED = '[redacted]'

/**
 * A function that takes secrets out of a text: as they are, as a URL or a form writes them, and in base64, also as a part of something
 * longer that was encoded (`user:key`).
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  // The longest first: a secret may be a part of another.
  const forms = [...new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf))].toSorted(
    (a, b) => b.length - a.length,
  )
  return (text) => forms.reduce((rest, form) => rest.replaceAll(form, REDACTED), text)
}

function formsOf(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret)
  // A text with half a character cannot be encoded; this is what is sent in its place.
  const whole = new TextDecoder().decode(bytes)
  const urls = [encodeURIComponent(whole), encodeURI(whole), new URLSearchParams([['', whole]]).toString().slice(1)]
  // Some write the hexadecimal digits in lower case.
  const lower = urls.map((url) => url.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()))
  return [secret, whole, ...urls, ...lower, ...base64Forms(bytes)].filter((form) => form !== '')
}

/** The whole in base64, and what stands in the base64 of anything longer: it depends on the length before it, modulo 3. */
function base64Forms(bytes: Uint8Array): readonly string[] {
  const forms = [0, 1, 2].map((before) => {
    const padded = new Uint8Array(before + bytes.length)
    padded.set(bytes, before)
    return base64(padded).slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3))
  })
  // Parts of a few letters would be found everywhere.
  const plain = [base64(bytes).replace(/=+$/, ''), ...forms.filter((form) => form.length >= 6)]
  return plain.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
