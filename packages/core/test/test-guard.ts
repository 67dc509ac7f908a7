import { memoryStore } from '../../store-memory/src/index.ts'
import { createGuard } from '../src/create-guard.ts'
import type { CheckInfo, Guard } from '../src/guard/guard.ts'
import type { GuardOptions } from '../src/guard/guard-options.ts'
import type { Decision } from '../src/policy/decision.ts'
import type { Policy } from '../src/policy/policy.ts'
import type { GuardRequest } from '../src/request.ts'

export const START = Date.UTC(2026, 0, 1)

export interface TestGuard<Facts> {
  readonly guard: Guard<Facts>
  readonly clock: { time: number; now(): number }
  /** A new request each time: one request object is counted once. */
  check(ip: string | undefined, request?: Partial<GuardRequest>, info?: CheckInfo<Facts>): Decision | Promise<Decision>
  /** The same, and it must have been synchronous. */
  now(ip: string | undefined, request?: Partial<GuardRequest>): Decision
}

export function request(over: Partial<GuardRequest> = {}): GuardRequest {
  return { method: 'GET', url: '/', headers: new Headers(), ...over }
}

/** A guard on memory with a clock that is set by hand. */
export function testGuard<Facts = unknown>(
  policies: readonly Policy<Facts>[],
  options: Omit<GuardOptions<Facts>, 'policies'> = {},
): TestGuard<Facts> {
  const clock = { time: START, now: () => clock.time }
  const guard = createGuard<Facts>({ store: memoryStore(), clock, ...options, policies })
  const check: TestGuard<Facts>['check'] = (ip, over, info) => guard.check(request(over), { peer: ip, ...info })
  return {
    guard,
    clock,
    check,
    now(ip, over) {
      const decision = check(ip, over)
      if (decision instanceof Promise) throw new Error('The decision was a promise.')
      return decision
    },
  }
}
