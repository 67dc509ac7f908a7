import { memoryStore } from '../../store-memory/src/index.ts'
import { createGuard } from '../src/create-guard.ts'
import type { Guard } from '../src/guard/guard.ts'
import type { GuardOptions } from '../src/guard/guard-options.ts'
import type { Decision } from '../src/policy/decision.ts'
import type { VerdictEvent } from '../src/policy/policy-host.ts'
import { type ReputationOptions, reputation } from '../src/policy/reputation.ts'
import type { Provider, Verdict } from '../src/reputation/provider.ts'
import type { Store } from '../src/store/store.ts'
import { type HandClock, handClock, turn } from './hand-clock.ts'
import { request } from './test-guard.ts'

/** One look-up that was not answered when it was made. */
export interface Lookup {
  readonly ip: string
  readonly signal: AbortSignal
  resolve(verdict: Verdict | undefined): void
  reject(error: unknown): void
}

export interface FakeProvider extends Provider {
  readonly calls: Lookup[]
  /** What is answered at once; undefined: when the test says so. A throw is a rejection. */
  answer: ((ip: string) => unknown) | undefined
  closes: number
}

/** A source that answers what the test says, when the test says it. */
export function fakeProvider(over: Partial<Provider> = {}, answer?: (ip: string) => unknown): FakeProvider {
  const calls: Lookup[] = []
  const fake: FakeProvider = {
    name: 'fake',
    calls,
    answer,
    closes: 0,
    lookup: (ip, { signal }) =>
      new Promise((resolve, reject) => {
        calls.push({ ip, signal, resolve, reject })
        // Nonsense is part of what is tested.
        if (fake.answer) resolve(fake.answer(ip) as Verdict | undefined)
      }),
    close() {
      fake.closes++
    },
    ...over,
  }
  return fake
}

/** An error as a provider throws it. */
export function failure(code: string, more: object = {}): Error {
  return Object.assign(new Error('secret=hunter2'), { code: `IPGUARD_PROVIDER_${code}`, ...more })
}

export interface ReputationGuard {
  readonly guard: Guard
  readonly clock: HandClock
  readonly store: Store
  readonly events: VerdictEvent[]
  readonly errors: Error[]
  readonly warnings: string[]
  /** A request, answered at once or not. */
  check(ip: string, url?: string): Decision | Promise<Decision>
  /** The same, which must be answered at once. */
  now(ip: string, url?: string): Decision
  /** Sets the time on, and lets everything run that is due. */
  pass(ms: number): Promise<void>
}

export interface ReputationGuardOptions extends Omit<GuardOptions, 'policies' | 'clock'> {
  readonly clock?: HandClock
  readonly store?: Store
  readonly policies?: GuardOptions['policies']
}

/** A guard with one reputation policy, on memory and a clock that is set by hand. */
export function reputationGuard(
  options: ReputationOptions<unknown>,
  { clock = handClock(), store = memoryStore({ clock }), policies, ...more }: ReputationGuardOptions = {},
): ReputationGuard {
  const guard = createGuard({ clock, store, ...more, policies: policies ?? [reputation(options)] })
  const events: VerdictEvent[] = []
  const errors: Error[] = []
  const warnings: string[] = []
  guard.on('verdict', (event) => events.push(event))
  guard.on('error', (error) => errors.push(error))
  guard.on('warning', ({ code }) => warnings.push(code))
  const check: ReputationGuard['check'] = (ip, url = '/') => guard.check(request({ url }), { peer: ip })
  return {
    guard,
    clock,
    store,
    events,
    errors,
    warnings,
    check,
    now(ip, url) {
      const decision = check(ip, url)
      if (decision instanceof Promise) throw new Error('The decision was a promise.')
      return decision
    },
    async pass(ms) {
      clock.advance(ms)
      await turn()
    },
  }
}

export { turn }
