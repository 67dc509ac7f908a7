import type { Policy } from '../policy/policy.ts'
import type { PolicyHost } from '../policy/policy-host.ts'
import { type Counters, createCounters } from '../store/counters.ts'
import { schedule } from './clock.ts'
import type { Root } from './root.ts'

/** What policies have of a guard, and the policies as it asks them. */
export interface Hosting<Facts> {
  readonly host: PolicyHost
  /** The policy bound to this guard; the same for the same policy, and for a bound one itself. */
  readonly bind: (policy: Policy<Facts>) => Policy<Facts>
  /** What was made with `shared` under this key, if anything was. */
  made<T>(key: object): T | undefined
  close(): Promise<void>
}

/** Counters of policies without a store; each is one row. */
const LOCAL_KEYS = 1_000

export function createPolicyHost<Facts>(
  root: Pick<Root<Facts>, 'store' | 'clock' | 'hub' | 'breaker' | 'sender' | 'options' | 'isInfrastructure'>,
): Hosting<Facts> {
  const { store, clock, hub, breaker, sender, options, isInfrastructure } = root
  const shared = new Map<object, unknown>()
  const bound = new WeakMap<Policy<Facts>, Policy<Facts>>()
  const closing: (() => unknown)[] = []
  let local: Counters | undefined

  const host: PolicyHost = {
    store,
    now: () => clock.now(),
    after: (ms, call) => schedule(clock, ms, call),
    hit(hits) {
      const now = clock.now()
      if (sender) return sender.sendAside(hits, now, 'all', 'deny')
      local ??= createCounters({
        maxKeys: LOCAL_KEYS,
        bans: { table: { bans: 0 }, find: () => undefined, add: () => {} },
      })
      return local.hit(hits, now, 'all')
    },
    away: () => breaker.open,
    instances: options.instances ?? 1,
    isInfrastructure,
    warn: (warning, about) => hub.warn(warning, about),
    fail: (code, message, cause) => hub.fail(code, message, cause),
    told(event) {
      if (hub.wants('verdict')) hub.emit('verdict', event)
    },
    shared<T>(key: object, make: (host: PolicyHost) => T): T {
      if (!shared.has(key)) shared.set(key, make(host))
      return shared.get(key) as T // put under this key by the line above, or by an earlier call with it
    },
    onClose: (call) => void closing.push(call),
  }

  return {
    host,
    bind(policy) {
      const known = bound.get(policy)
      if (known) return known
      const made = policy.bind?.(host) ?? policy
      bound.set(policy, made)
      bound.set(made, made)
      return made
    },
    made: <T>(key: object) => shared.get(key) as T | undefined, // as with `shared`
    async close() {
      for (const result of await Promise.allSettled(closing.splice(0).map(async (call) => call()))) {
        if (result.status === 'rejected')
          hub.fail('IPGUARD_PROVIDER_FAILED', 'What a policy uses did not close.', result.reason)
      }
    },
  }
}
