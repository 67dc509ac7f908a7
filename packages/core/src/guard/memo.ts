import type { GuardRequest } from '../request.ts'
import type { Hit, HitReply } from '../store/hit.ts'
import type { Check } from './check.ts'

/** Under the global registry, so that an ESM and a CJS copy of this module know each other's requests. */
const KEY = Symbol.for('ipguard.request')

/** For requests that cannot take a property. */
const FROZEN = Symbol.for('ipguard.requests')

interface Frozen {
  readonly checks: WeakMap<object, Check<unknown>>
  /** Spares all other requests the look-up. */
  any: boolean
}

const holder = globalThis as { [FROZEN]?: Frozen } // our own slot in the global object
holder[FROZEN] ??= { checks: new WeakMap(), any: false }
const frozen = holder[FROZEN]

type Known = Check<unknown> | undefined
type Carrier = { [KEY]?: Known }

/** What is known of a request: the newest guard's check first. */
export function recall(request: GuardRequest): Known {
  const native: Carrier = request.native ?? request
  return native[KEY] ?? (frozen.any ? frozen.checks.get(native) : undefined)
}

export function remember(request: GuardRequest, check: Check<unknown>): void {
  const native: Carrier = request.native ?? request
  try {
    native[KEY] = check
  } catch {
    // Frozen: asking first would cost every request what these few cost.
    frozen.checks.set(native, check)
    frozen.any = true
  }
}

/** The guard's own check of the request. */
export function checkBy(known: Known, guard: object): Known {
  let each = known
  while (each && each.guard !== guard) each = each.next
  return each
}

/** The reply to a counter that another guard on the same store has counted this request on. */
export function countedBefore(check: Pick<Check<unknown>, 'next' | 'root'>, hit: Hit): HitReply | undefined {
  for (let each = check.next; each; each = each.next) {
    if (each.root.store !== check.root.store) continue
    const i = each.sent.findIndex(({ counter, key }) => counter.id === hit.counter.id && key.text === hit.key.text)
    if (i >= 0) return each.replies[i]
  }
  return undefined
}
