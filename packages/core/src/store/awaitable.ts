/** A value, or a promise of it. A store that can answer at once does: then the decision needs no promise either. */
export type Awaitable<T> = T | Promise<T>

/** Any thenable: stores and policies come from other people's code. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
