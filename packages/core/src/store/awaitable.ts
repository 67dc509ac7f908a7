/** A value, or a promise of it. A store that can answer at once does: then the decision needs no promise either. */
export type Awaitable<T> = T | Promise<T>

/**
 * Whether a value has to be waited for. Any thenable: stores and policies come from other people's code, and promises from another realm, as
 * between the edge sandbox of Next and the process around it.
 *
 * @example
 * const decision = guard.check(request, { peer })
 * if (isPromise(decision)) decision.then(goOn)
 * else goOn(decision)
 */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
