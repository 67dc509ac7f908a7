import { createGuard } from '../create-guard.ts'
import type { Guard } from '../guard/guard.ts'
import type { GuardOptions } from '../guard/guard-options.ts'
import type { Finding, Store } from '../store/store.ts'

type Warn = (warning: Finding) => void

/** What an adapter puts where the options of a guard say nothing. */
export interface AdapterDefaults {
  /** Made where the options name none. */
  readonly createStore: (options: { readonly onWarning: Warn }) => Store
  /** Where warnings go on this runtime. */
  readonly onWarning: Warn
}

/**
 * What every adapter's `ipguard(x)` makes of `x`: the guard itself, or one created from options, with the adapter's store and warnings
 * where they name none.
 *
 * @example
 * const guard = guardFrom(optionsOrGuard, { createStore: memoryStore, onWarning: ({ code, message }) => log.warn(code, message) })
 * @throws {IpGuardError} as `createGuard` does
 */
export function guardFrom<Facts>(given: GuardOptions<Facts> | Guard<Facts>, defaults: AdapterDefaults): Guard<Facts> {
  if (isGuard(given)) return given
  const onWarning = warningsOf(given, defaults.onWarning)
  return createGuard({ ...given, onWarning, store: given?.store ?? defaults.createStore({ onWarning }) })
}

/** Where an adapter's own warnings go: where the guard's go, if its options are known. */
export function warningsOf(given: GuardOptions<never> | Guard<never>, otherwise: Warn): Warn {
  return isGuard(given) ? otherwise : (given?.onWarning ?? otherwise)
}

function isGuard<Facts>(given: GuardOptions<Facts> | Guard<Facts>): given is Guard<Facts> {
  return typeof given === 'object' && given !== null && 'check' in given
}
