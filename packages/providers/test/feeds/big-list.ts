/** Address number n: they are all public, and neighbours share no block. */
export function numbered(n: number): string {
  return `${20 + ((n >> 20) & 63)}.${(n >> 12) & 255}.${(n >> 4) & 255}.${((n & 15) << 4) | 1}`
}

/** Version 0 has the even numbers of twice as many, version 1 the odd ones. */
export function isListed(n: number, version: number, count: number): boolean {
  return n < 2 * count && (n & 1) === version
}

/** The list as text, line by line. */
export function* bigList(version: number, count: number): Generator<string> {
  for (let i = 0; i < count; i += 1000) {
    let lines = ''
    for (let j = i; j < Math.min(i + 1000, count); j++) lines += `${numbered(2 * j + version)}\n`
    yield lines
  }
}
