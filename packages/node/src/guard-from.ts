import { createGuard, type Finding, type Guard, type GuardOptions, type Store } from '@ipguard/core'
import { warnProcess } from './warn-process.ts'

/**
 * What every adapter's `ipguard(x)` makes of `x`: the guard itself, or one created from options, with the adapter's store and process
 * warnings where they name none.
 *
 * @example
 * const guard = guardFrom(optionsOrGuard, memoryStore)
 * @throws {IpGuardError} as `createGuard` does
 */
export function guardFrom<Facts>(
  given: GuardOptions<Facts> | Guard<Facts>,
  createStore: (options: { readonly onWarning: (warning: Finding) => void }) => Store,
): Guard<Facts> {
  if (isGuard(given)) return given
  const onWarning = warningsOf(given)
  return createGuard({ ...given, onWarning, store: given?.store ?? createStore({ onWarning }) })
}

/** Where an adapter's own warnings go. */
export function warningsOf(given: GuardOptions<never> | Guard<never>): (warning: Finding) => void {
  return isGuard(given) ? warnProcess : (given?.onWarning ?? warnProcess)
}

function isGuard<Facts>(given: GuardOptions<Facts> | Guard<Facts>): given is Guard<Facts> {
  return typeof given === 'object' && given !== null && 'check' in given
}
