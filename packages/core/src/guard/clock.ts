import { after } from '../clock.ts'

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
      return Math.floor(origin + performance.now())
    },
    after,
  }
}

/** Calls once after `ms`, by the clock's own timer if it has one; answers the function that cancels. */
export function schedule(clock: Clock, ms: number, call: () => void): () => void {
  return clock.after ? clock.after(ms, call) : after(ms, call)
}
