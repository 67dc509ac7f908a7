/** Resolves once other work has run: I/O too, where there is setImmediate. */
export function nextTurn(): Promise<void> {
  // No part of the language; setTimeout has a delay of its own.
  const { setImmediate } = globalThis as { readonly setImmediate?: (done: () => void) => void }
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)))
}

/** Milliseconds of work in one turn. */
const SLICE = 2

/** Gives way to other work whenever a slice of time is used up. */
export function createPace(now: () => number = () => performance.now()): () => Promise<void> | undefined {
  let until = now() + SLICE
  return () => {
    if (now() < until) return undefined
    return nextTurn().then(() => {
      until = now() + SLICE
    })
  }
}
