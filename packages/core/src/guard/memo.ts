import type { Decision } from '../policy/decision.ts'
import type { GuardRequest } from '../request.ts'
import type { Hit, HitReply } from '../store/hit.ts'
import type { Awaitable, Store } from '../store/store.ts'

/** What one guard found out about a request; the next guard's lies behind it. */
export interface Memo {
  readonly guard: object
  readonly store: Store | undefined
  decision: Awaitable<Decision> | undefined
  /** A policy ended the evaluation: what comes after it was not asked. */
  decided: boolean
  readonly hits: Hit[]
  readonly replies: HitReply[]
  readonly next: Memo | undefined
}

/** Under the global registry, so that an ESM and a CJS copy of this module know each other's requests. */
const KEY = Symbol.for('ipguard.request')

/** For requests that cannot take a property. */
const FROZEN = Symbol.for('ipguard.requests')

type Carrier = { [KEY]?: Memo }

/** What is known of a request: the newest guard's findings first. */
export function recall(request: GuardRequest): Memo | undefined {
  const native: Carrier = request.native ?? request
  return native[KEY] ?? (Object.isExtensible(native) ? undefined : frozenRequests().get(native))
}

export function remember(request: GuardRequest, memo: Memo): void {
  const native: Carrier = request.native ?? request
  if (KEY in native || Object.isExtensible(native)) native[KEY] = memo
  else frozenRequests().set(native, memo)
}

/** The reply to a counter that another guard on the same store has counted this request on. */
export function countedBefore(memo: Memo | undefined, store: Store | undefined, hit: Hit): HitReply | undefined {
  for (let each = memo; each; each = each.next) {
    if (each.store !== store) continue
    const i = each.hits.findIndex(({ counter, key }) => counter.id === hit.counter.id && key.text === hit.key.text)
    if (i >= 0) return each.replies[i]
  }
  return undefined
}

function frozenRequests(): WeakMap<object, Memo> {
  const holder = globalThis as { [FROZEN]?: WeakMap<object, Memo> } // our own slot in the global object
  holder[FROZEN] ??= new WeakMap()
  return holder[FROZEN]
}
