/** Bytes that `make` leaves on V8's heap and in its array buffers, and what it made. Needs --expose-gc. */
export function heapOf<T>(make: () => T): { readonly made: T; readonly bytes: number } {
  const before = heapBytes()
  const made = make()
  return { made, bytes: heapBytes() - before }
}

/** The same in resident memory, for what a native structure keeps out of V8's sight. */
export function residentOf<T>(make: () => T): { readonly made: T; readonly bytes: number } {
  collect()
  const before = process.memoryUsage.rss()
  const made = make()
  collect()
  return { made, bytes: process.memoryUsage.rss() - before }
}

export function heapBytes(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function collect(): void {
  if (!globalThis.gc) throw new Error('Run with --expose-gc: bytes are measured after a collection.')
  for (let i = 0; i < 3; i++) globalThis.gc()
}
