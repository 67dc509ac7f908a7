/** One bound for everything that a call waits for; it also ends with the caller's signal. */
export interface Deadline {
  readonly signal: AbortSignal
  /** What the promise comes to, or the deadline's error, whichever is first. */
  race<T>(promise: Promise<T>): Promise<T>
  /** The deadline has passed or the caller has aborted. */
  readonly passed: boolean
  /** Ends it: nothing is left that waits. */
  clear(): void
}

/** The longest that timers can wait. */
const LONGEST = 2 ** 31 - 1

/** Starts at once. `late` and `aborted` make the errors. */
export function startDeadline(
  ms: number,
  outer: AbortSignal | undefined,
  late: () => Error,
  aborted: () => Error,
): Deadline {
  const own = new AbortController()
  let passed: Error | undefined
  let reject: (error: Error) => void = () => undefined
  const over = new Promise<never>((_, no) => {
    reject = no
  })
  // Raced with, but maybe not while it rejects.
  over.catch(() => undefined)
  const end = (error: Error): void => {
    if (passed) return
    passed = error
    clear()
    reject(error)
    // Without a reason of ours: it would become the cause of what `fetch` throws.
    own.abort()
  }
  const onAbort = (): void => end(aborted())
  const timer = setTimeout(() => end(late()), Math.min(ms, LONGEST))
  const clear = (): void => {
    clearTimeout(timer)
    outer?.removeEventListener('abort', onAbort)
  }
  if (outer?.aborted) onAbort()
  else outer?.addEventListener('abort', onAbort)
  return {
    signal: own.signal,
    get passed() {
      return passed !== undefined
    },
    // What was aborted may reject first, with an error of the runtime's.
    race: async (promise) =>
      Promise.race([over, promise]).catch((error: unknown) => {
        throw passed ?? error
      }),
    clear,
  }
}
