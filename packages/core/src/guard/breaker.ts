import { IpGuardError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { type Clock, schedule } from './clock.ts'
import type { Deadline, Settled } from './deadline.ts'
import type { EventHub } from './events.ts'

/** Keeps a guard from asking a store that does not answer, and finds out when it does again. */
export interface Breaker {
  /** Nothing failed lately and few calls are unanswered: the store may be asked without a further look. */
  readonly calm: boolean
  /** The store is away and is not asked. */
  readonly open: boolean
  /** Whether a call may be made now; a refusal for want of room counts as a failure. */
  admits(): boolean
  /** Waits for a call's answer until the deadline; `late` gets one that comes after all. */
  ask<T>(part: Promise<T>, deadline: Deadline, late?: (value: T) => void): Promise<Settled<T>>
  succeeded(): void
  /** A call has failed; without an error it was late. */
  failed(error?: unknown): void
  close(): void
}

export interface BreakerOptions {
  readonly store: Pick<Store, 'name' | 'set'> | undefined
  readonly clock: Clock
  readonly hub: EventHub
  /** How long a probe may take, in ms. */
  readonly deadline: number
  readonly onRecovered: () => void
}

/** Failed calls in a row that open it. */
const FAILURES = 3
/** Calls that wait for their answer, at most. */
const MOST = 10_000
/** Between two probes, in ms. */
export const PAUSE = 250
/** How long the next probe waits for one that is not answered, in ms; and how many there are at most. */
const PATIENCE = 1000
const PROBES = 4
const PLACES = 16

export function createBreaker({ store, clock, hub, deadline, onRecovered }: BreakerOptions): Breaker {
  const name = store?.name ?? ''
  /** When the probes were sent that are not answered. */
  const probes = new Set<{ readonly at: number }>()
  let failures = 0
  let waiting = 0
  let since = 0
  let closed = false
  let told = Number.NEGATIVE_INFINITY
  let probed = 0
  let cancel: (() => void) | undefined

  const breaker = {
    // Data, not a getter: every check reads it.
    calm: true,
    open: false,
    admits() {
      if (breaker.open) return false
      if (waiting < MOST) return true
      breaker.failed(new IpGuardError('IPGUARD_STORE_BUSY', `The store "${name}" has left ${MOST} calls unanswered.`))
      return false
    },
    ask<T>(part: Promise<T>, by: Deadline, late?: (value: T) => void) {
      waiting++
      look()
      // One that began when its time was up says nothing about the store.
      const fair = !by.over
      return new Promise<Settled<T>>((resolve) => {
        let over = false
        part.then(
          (value) => {
            waiting--
            look()
            if (over) return late?.(value)
            over = true
            breaker.succeeded()
            resolve({ value })
          },
          (error: unknown) => {
            waiting--
            look()
            if (over) return
            over = true
            if (isPartial(error)) tellOfPart(error)
            else breaker.failed(error ?? null)
            resolve({ error })
          },
        )
        by.onLate(() => {
          if (over) return
          over = true
          if (fair) breaker.failed()
          resolve({ late: true })
        })
      })
    },
    succeeded() {
      // Not while it is open: what was sent before may be answered by a store that has gone since.
      if (failures === 0 || breaker.open) return
      failures = 0
      look()
    },
    failed(error?: unknown) {
      if (breaker.open) return
      const late = error === undefined
      const code = late ? 'IPGUARD_DEADLINE_EXCEEDED' : 'IPGUARD_STORE_FAILED'
      hub.fail(code, `The store "${name}" did not answer${late ? ' by the deadline' : ''}.`, error)
      failures++
      if (failures === FAILURES && !closed) {
        breaker.open = true
        since = clock.now()
        hub.emit('degraded', { part: 'store', store: name, code: error instanceof IpGuardError ? error.code : code })
        // Who listens to nothing would never know: requests are answered as if all were well.
        hub.warn({
          code: 'IPGUARD_STORE_FAILED',
          message: `The store "${name}" does not answer, and decisions are made without it until it does. Listen to "error" for the cause.`,
        })
        arm()
      }
      look()
    },
    close() {
      closed = true
      cancel?.()
    },
  }

  /** One that is away for long is told of once in a while. */
  function tellOfPart(error: unknown): void {
    const now = clock.now()
    if (now - told < PATIENCE) return
    told = now
    hub.fail('IPGUARD_STORE_FAILED', `A part of the store "${name}" did not answer.`, error)
  }

  function look(): void {
    breaker.calm = failures === 0 && waiting < MOST
  }

  function arm(): void {
    cancel = closed
      ? undefined
      : schedule(clock, PAUSE, () => {
          void probe()
          if (breaker.open) arm()
        })
  }

  /** A write, because a store that only reads answers reads. */
  async function probe(): Promise<void> {
    const now = clock.now()
    for (const { at } of probes) if (now - at < PATIENCE) return
    if (probes.size >= PROBES) return
    const mine = { at: now }
    probes.add(mine)
    try {
      // By turns in other places: of a store in parts one may be away.
      await store?.set(`ipguard:probe:${probed++ % PLACES}`, '1', now + PATIENCE)
      if (clock.now() - now <= deadline) recover()
    } catch {
      // It is away still.
    } finally {
      probes.delete(mine)
    }
  }

  function recover(): void {
    if (!breaker.open || closed) return
    cancel?.()
    breaker.open = false
    failures = 0
    look()
    hub.emit('recovered', { part: 'store', store: name, after: clock.now() - since })
    onRecovered()
  }

  return breaker
}

/** By what it says and not by its class: the store may come with a copy of core of its own. */
function isPartial(error: unknown): boolean {
  return typeof error === 'object' && error !== null && Reflect.get(error, 'partial') === true
}
