/**
 * What `Provider.version` has to tell of settings that are too long to be written out: 16 hexadecimal digits that differ when their JSON does.
 * Two FNV-1a hashes; made to tell settings of one operator apart, not to withstand anybody.
 */
export function settingsDigest(settings: unknown): string {
  const text = JSON.stringify(settings) ?? ''
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ (code + i), 0x01000193)
  }
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}
