/** Where a guard takes its time from. Injected in tests. */
export interface Clock {
  /** Epoch ms; must not go back. */
  now(): number
  /** Calls once after that many ms; answers the function that cancels. Only an asynchronous decision needs it. */
  after?(ms: number, call: () => void): () => void
}

/**
 * Epoch ms from a monotonic clock, started at the first call: a wall clock that steps changes no ban. A timer of it keeps no process alive.
 */
export function systemClock(): Clock {
  let origin: number | undefined
  return {
    now() {
      origin ??= Date.now() - performance.now()
      return origin + performance.now()
    },
    after,
  }
}

/** `setTimeout` that keeps no process alive. */
export function after(ms: number, call: () => void): () => void {
  const timer: unknown = setTimeout(call, ms)
  // Node and Bun answer an object, browsers and workers a number.
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref()
  return () => clearTimeout(timer as number) // whatever setTimeout answered
}
