/** `setTimeout` that keeps no process alive; answers the function that cancels. */
export function after(ms: number, call: () => void): () => void {
  // Node and Bun answer an object, browsers and workers a number.
  const timer = setTimeout(call, ms) as number | { unref?: () => void }
  if (typeof timer === 'object') timer.unref?.()
  return () => clearTimeout(timer as number) // whatever setTimeout answered
}
