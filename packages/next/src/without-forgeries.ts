import { type Guard, type GuardRequest, type Policy, policy } from '@ipguard/core'

/**
 * Next takes this header for its own, and once let it skip the proxy (CVE-2025-29927); it never comes from an honest client. A policy, so that
 * the decision says so, and a guard in shadow only records it.
 */
const forgery = policy<unknown>({
  name: 'x-middleware-subrequest',
  evaluate: ({ request }) =>
    claimsToBeNext(request)
      ? { action: 'deny', evidence: [{ kind: 'custom', detail: 'a request that claims to come from Next itself' }] }
      : undefined,
})

/** One for each guard: the proxy and routes that share a guard share this too, and ask nothing twice. */
const made = new WeakMap<object, Guard<never>>()

/** The guard with one policy more: requests that claim to be Next's own are refused. */
export function withoutForgeries<Facts>(guard: Guard<Facts>): Guard<Facts> {
  const known = made.get(guard)
  if (known) return known as Guard<Facts> // made of it, below
  const fresh = guard.with({ policies: [forgery as Policy<Facts>] }) // it reads no facts
  made.set(guard, fresh)
  return fresh
}

function claimsToBeNext({ headers }: GuardRequest): boolean {
  return /[^\s,]/.test(headers.get('x-middleware-subrequest') ?? '')
}
