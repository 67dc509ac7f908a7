import { counterKey } from './guard/check.ts'
import { createChecker, type Parent } from './guard/checker.ts'
import { creationWarnings } from './guard/creation-warnings.ts'
import { createDeadline, type Settled } from './guard/deadline.ts'
import type { GuardEvents } from './guard/events.ts'
import type { Guard } from './guard/guard.ts'
import { checkGuardOptions, checkPolicies, type GuardOptions } from './guard/guard-options.ts'
import { createHandler } from './guard/handle.ts'
import { createRoot, type Root } from './guard/root.ts'
import { rulers } from './guard/rulers.ts'
import { type ClientStatus, clientStatus, type GuardStatus, guardStatus } from './guard/status.ts'
import { checkOneOf, checkOptions } from './options.ts'
import type { Policy } from './policy/policy.ts'
import type { Reply } from './policy/refusal.ts'
import { reply } from './reply/render-reply.ts'
import { BOOK, type Book } from './reputation/book.ts'
import type { GuardRequest } from './request.ts'

/** Entries of which `metrics` finds out whether they have ended: about half a millisecond. */
const SWEPT = 10_000

const EVENTS: readonly (keyof GuardEvents)[] = [
  'decision',
  'strike',
  'ban',
  'unban',
  'entry',
  'verdict',
  'report',
  'degraded',
  'recovered',
  'warning',
  'error',
]

/**
 * Puts policies, a store and the rule for the client's address together into one answer per request.
 *
 * Nothing is started before the first check: no timer, no connection, no randomness.
 *
 * @example
 * const guard = createGuard({ policies: [deny(['198.51.100.0/24'])] })
 * const decision = await guard.check(new Request('http://localhost/'), { peer: '203.0.113.7' })
 * if (decision.action !== 'allow') console.log(decision.reason)
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_STORE_MISSING`, `IPGUARD_TRUST_MISSING`, ...
 */
export function createGuard<Facts = unknown>(options: GuardOptions<Facts>): Guard<Facts> {
  checkGuardOptions(options)
  const root = createRoot(options)
  return buildGuard(root, options.policies.map(root.hosting.bind), undefined)
}

function buildGuard<Facts>(
  root: Root<Facts>,
  policies: readonly Policy<Facts>[],
  parent: Parent | undefined,
): Guard<Facts> {
  const { options, store, clock, hub, metrics, breaker, replica, sender, manager, resolver, deadlines } = root
  for (const warning of creationWarnings(policies, store, resolver.trust)) hub.warn(warning)
  /** By which requests remember this guard. */
  const identity = {}
  const { check, foresee } = createChecker(root, policies, identity, parent)
  const { handle, strike, report, resolveText } = createHandler(root, policies)

  function changed(change: () => Reply | undefined, plain: Reply): Reply {
    try {
      return change() ?? plain
    } catch (error) {
      hub.fail('IPGUARD_LISTENER_FAILED', 'onRefused threw.', error)
      return plain
    }
  }

  /** What became of it by the deadline of a decision. */
  async function inTime<T>(part: Promise<T>): Promise<Settled<T>> {
    const deadline = createDeadline(deadlines.store, clock)
    const settled = await deadline.wait(part)
    deadline.end()
    return settled
  }

  async function status(
    ip?: string,
    about: { readonly request?: GuardRequest; readonly facts?: Facts } = {},
  ): Promise<GuardStatus | ClientStatus> {
    const now = clock.now()
    const loaded = replica.ready()
    if (typeof loaded === 'object') await inTime(loaded)
    if (ip === undefined) {
      // A store that is away is not waited for: this is the call that says so.
      const settled = breaker.open ? undefined : await inTime((async () => store?.stats?.())())
      const stats = settled && 'value' in settled ? settled.value : undefined
      return guardStatus(replica, policies, { now, away: breaker.open, stats })
    }
    const resolved = resolveText(ip, 'guard.status')
    const request = about.request ?? { method: 'GET', url: '/', headers: new Headers() }
    const decision = await foresee(request, resolved, about.facts as Facts) // absent only where policies ask for none
    return clientStatus({
      client: resolved.client,
      key: counterKey(resolved),
      entries: manager.entries({ ip }),
      reputation: root.hosting.made<Book>(BOOK)?.status(resolved.client.ip, resolved.address) ?? [],
      decision,
      read: sender && ((hit) => sender.sendAside([hit], now, 'none', 'local')),
      policies,
      mode: replica.mode(),
    })
  }

  return {
    needsPeer: resolver.needsPeer,
    ban: (target, ban) => manager.ban(target, ban),
    unban: (target) => manager.unban(target),
    allow: (target, entry) => manager.allow(target, entry),
    deny: (target, entry) => manager.deny(target, entry),
    remove: (target, which) => manager.remove(target, which),
    entries: (filter) => manager.entries(filter),
    setMode: (mode) => manager.setMode(mode),
    check,
    handle,
    strike,
    report,
    reply(decision, request, headers) {
      if (decision.action === 'allow') return undefined
      const { exposeTier = false, onRefused } = options
      const plain = reply(decision, {
        accept: request.headers.get('accept'),
        method: request.method,
        exposeTier,
        ...headers,
      })
      if (!plain) return undefined
      const policy = rulers.get(decision) ?? policies.find(({ name }) => name === decision.policy)
      const byPolicy = changed(() => policy?.onRefused?.(plain, request), plain)
      return changed(() => onRefused?.(decision, byPolicy, request), byPolicy)
    },
    with(more) {
      checkOptions(more, ['policies'], 'guard.with')
      checkPolicies(more.policies, 'guard.with.policies')
      const all = [...policies, ...more.policies]
      checkGuardOptions({ ...options, policies: all })
      return buildGuard(root, all.map(root.hosting.bind), { guard: identity, length: policies.length, parent })
    },
    status: status as Guard<Facts>['status'], // one function behind two signatures
    metrics() {
      replica.table.sweep(clock.now(), SWEPT)
      return metrics.read({
        entries: replica.table.size,
        activeBans: replica.table.bans,
        warnings: hub.warnings.size,
        reports: root.reports.counts(),
        reputation: root.hosting.made<Book>(BOOK)?.metrics() ?? {},
      })
    },
    on(name, listener) {
      checkOneOf('guard.on', name, EVENTS)
      return hub.on(name, listener)
    },
    async close() {
      root.close()
      await root.reports.close()
      await root.hosting.close()
      await store?.close?.()
    },
  }
}
