import type { IpSet } from '../ip/ip-set.ts'
import type { Policy } from '../policy/policy.ts'
import type { Finding, Store } from '../store/store.ts'

/** Names that guards have put on a store, so that two policies counting together by accident are told. */
const named = new WeakMap<Store, Map<string, object>>()

const AsyncFunction = (async () => {}).constructor

/** What is allowed and probably not meant. */
export function creationWarnings(
  policies: readonly Pick<Policy, 'name' | 'kind' | 'unnamed' | 'list' | 'live' | 'counter' | 'count' | 'evaluate'>[],
  store: Store | undefined,
  trust: IpSet | undefined,
): Finding[] {
  const found: Finding[] = []
  const counts = policies.map((policy) => policy.count !== undefined)
  const firstCounter = counts.indexOf(true)
  const lastCounter = counts.lastIndexOf(true)
  for (const [i, policy] of policies.entries()) {
    const name = JSON.stringify(policy.name)
    if (policy.kind === 'allow' && firstCounter >= 0 && i > firstCounter) {
      found.push({
        code: 'IPGUARD_ALLOW_BEHIND_COUNTER',
        message: `Policy ${name} allows behind a limit, which counts and refuses its clients too. Write it before the limit.`,
      })
    }
    if (policy.evaluate instanceof AsyncFunction && firstCounter >= 0 && i > firstCounter && i < lastCounter) {
      found.push({
        code: 'IPGUARD_ASYNC_BETWEEN_COUNTERS',
        message: `Policy ${name} is asynchronous between two limits, which costs a second trip to the store. Write it after the limits.`,
      })
    }
    const overlap = trust && !policy.live ? policy.list?.().overlaps(trust) : undefined
    if (overlap !== undefined) {
      found.push({
        code: 'IPGUARD_ALLOW_OVERLAPS_TRUST',
        message: `Policy ${name} allows ${overlap}, which clientIp.trust names as a proxy. If its header failed, everybody would be let in. Take it off one of the two.`,
      })
    }
    if (policy.counter && store) {
      const names = named.get(store) ?? new Map<string, object>()
      named.set(store, names)
      const id = policy.counter(false).id
      const other = names.get(id)
      if (other && other !== policy && policy.unnamed) {
        found.push({
          code: 'IPGUARD_POLICY_NAME_SHARED',
          message: `Two policies named ${name} count together on one store. Give each its own name, or both the same name if that is meant.`,
        })
      }
      names.set(id, policy)
    }
  }
  return found
}
