import { type Clock, schedule } from './clock.ts'

/** What became of an awaited part. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown } | { readonly late: true }

const LATE: { readonly late: true } = Object.freeze({ late: true })

/** One deadline over the asynchronous parts of a decision; its timer starts when it is made. */
export interface Deadline {
  readonly signal: AbortSignal
  /** It has passed: nothing is waited for any more. */
  readonly over: boolean
  /** Calls when it passes; at once when it has. */
  onLate(call: () => void): void
  wait<T>(part: Promise<T>): Promise<Settled<T>>
  end(): void
}

export function createDeadline(ms: number, clock: Clock): Deadline {
  const calls: (() => void)[] = []
  /** Made when asked for: few policies do, and every check that waits for a store has a deadline. */
  let controller: AbortController | undefined
  const cancel = schedule(clock, ms, () => {
    // Replies that have arrived but were not read yet come first: they are read in the turn that follows the timers.
    nextTurn(() => {
      deadline.over = true
      for (const call of calls) call()
      controller?.abort()
    })
  })
  const deadline = {
    over: false,
    get signal() {
      controller ??= new AbortController()
      if (deadline.over) controller.abort()
      return controller.signal
    },
    onLate(call: () => void) {
      if (deadline.over) call()
      else calls.push(call)
    },
    wait: <T>(part: Promise<T>) =>
      new Promise<Settled<T>>((resolve) => {
        part.then(
          (value) => resolve({ value }),
          (error: unknown) => resolve({ error }),
        )
        // Past the deadline too, what has an answer already is taken.
        if (deadline.over) nextTurn(() => resolve(LATE))
        else deadline.onLate(() => resolve(LATE))
      }),
    end: cancel,
  }
  return deadline
}

/** After what is readable now was read: `setImmediate` where there is one. */
export function nextTurn(call: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => void } // not in every runtime's types
  if (setImmediate) setImmediate(call)
  else setTimeout(call, 0)
}
