import { type Clock, schedule } from './clock.ts'

/** What became of an awaited part. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown } | { readonly late: true }

/** One deadline over the asynchronous parts of a decision; its timer starts with the first wait. */
export interface Deadline {
  readonly signal: AbortSignal
  wait<T>(part: Promise<T>): Promise<Settled<T>>
  end(): void
}

export function createDeadline(ms: number, clock: Clock): Deadline {
  const controller = new AbortController()
  let expire: () => void = () => {}
  const expired = new Promise<{ late: true }>((resolve) => {
    expire = () => resolve({ late: true })
  })
  const cancel = schedule(clock, ms, () => {
    // Replies that have arrived but were not read yet come first: they are read in the turn that follows the timers.
    nextTurn(() => {
      expire()
      controller.abort()
    })
  })
  return {
    signal: controller.signal,
    wait: (part) =>
      Promise.race([
        part.then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
        expired,
      ]),
    end: cancel,
  }
}

/** After what is readable now was read: `setImmediate` where there is one. */
function nextTurn(call: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => void } // not in every runtime's types
  if (setImmediate) setImmediate(call)
  else setTimeout(call, 0)
}
