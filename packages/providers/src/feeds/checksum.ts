/** The start of every sum. */
export const SUM_START = 0x811c9dc5

/** A 32-bit sum of bytes that finds damage, not forgery; goes on from the sum of the bytes before. */
export function addToSum(sum: number, bytes: Uint8Array): number {
  let now = sum
  for (let i = 0; i < bytes.length; i++) now = Math.imul(now ^ (bytes[i] ?? 0) ^ (now >>> 15), 0x85ebca6b)
  return now
}

/** As text of eight hex digits. */
export function sumText(sum: number): string {
  return (sum >>> 0).toString(16).padStart(8, '0')
}
