/** The cheapest limiter: GCRA over one word, open addressing, no expiry, no cap, no headers. */
export function bareGcra(
  keys: number,
  limit: number,
  window: number,
): { readonly hit: (word: number, now: number) => boolean; readonly bytes: number } {
  const size = 2 ** Math.ceil(Math.log2(keys * 2))
  const mask = size - 1
  const words = new Int32Array(size)
  const times = new Float64Array(size)
  const step = window / limit
  return {
    bytes: words.byteLength + times.byteLength,
    hit(word, now) {
      let slot = (Math.imul(word, 0x9e3779b1) >>> 7) & mask
      while (words[slot] !== word && words[slot] !== 0) slot = (slot + 1) & mask
      words[slot] = word
      const at = Math.max(times[slot] ?? 0, now) + step
      if (at - now > window) return false
      times[slot] = at
      return true
    },
  }
}
