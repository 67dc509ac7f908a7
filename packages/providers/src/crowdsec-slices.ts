/** Milliseconds of work between two pauses. */
const SLICE = 5

/** A function that lets other work run whenever 5 ms have gone by. Call it often; awaiting it costs little when it is not time. */
export function createPauses(): () => Promise<void> | undefined {
  let until = performance.now() + SLICE
  return () => (performance.now() < until ? undefined : rest())

  async function rest(): Promise<void> {
    await pause()
    until = performance.now() + SLICE
  }
}

/** Applies a function to all items, with pauses in between. */
export async function inSlices<T>(items: Iterable<T>, apply: (item: T) => unknown): Promise<void> {
  const rest = createPauses()
  let count = 0
  for (const item of items) {
    apply(item)
    if (++count % 64 === 0) await rest()
  }
}

/** Resolves once other work has run. */
async function pause(): Promise<void> {
  // setImmediate is no part of the language; where it exists it lets I/O run without the timers' minimum delay.
  const { setImmediate } = globalThis as { readonly setImmediate?: (done: () => void) => void }
  return new Promise((resolve) => (setImmediate ? setImmediate(resolve) : setTimeout(resolve, 0)))
}
