import type { Client, ResolvedClient } from './client-ip/client.ts'
import { resolvedClient } from './client-ip/client.ts'
import { describe, IpGuardError } from './errors.ts'
import { type Check, createCheck, decide, degrade } from './guard/check.ts'
import { CheckContext, counterKey } from './guard/check-context.ts'
import { creationWarnings } from './guard/creation-warnings.ts'
import { createDeadline } from './guard/deadline.ts'
import { createEvaluator, type Verdict } from './guard/evaluate.ts'
import type { GuardEvents } from './guard/events.ts'
import { checkGuardOptions, checkPolicies, type GuardOptions } from './guard/guard-options.ts'
import type { Manager } from './guard/manage.ts'
import { countedBefore, type Memo, recall, remember } from './guard/memo.ts'
import type { Metrics } from './guard/metrics.ts'
import { createRoot, type Root } from './guard/root.ts'
import { type ClientStatus, clientStatus, type GuardStatus, guardStatus } from './guard/status.ts'
import { parseAddress } from './ip/address.ts'
import { checkOptions } from './options.ts'
import type { Decision } from './policy/decision.ts'
import type { Policy } from './policy/policy.ts'
import type { Reply } from './policy/refusal.ts'
import { reply } from './reply/render-reply.ts'
import type { GuardRequest } from './request.ts'
import { type Awaitable, isPromise } from './store/awaitable.ts'
import type { Entry } from './store/entry.ts'
import type { Hit, HitReply } from './store/hit.ts'

export interface CheckInfo<Facts = unknown> {
  /** The address of the connection, from the runtime, never from a header; `'unix'` for a unix-domain socket. */
  readonly peer?: string | undefined
  /** What the application knows; policies receive it. */
  readonly facts?: Facts
  /** Keeps background work alive after the response, where the platform has such a thing. */
  readonly waitUntil?: (work: Promise<unknown>) => void
}

/** What a handler can do about the request that it is answering. None of it throws or rejects: failures are `error` events. */
export interface RequestHandle {
  readonly decision: Decision
  /** A strike for this client, such as for a failed login. Answers the ban that it brought about, if any. */
  strike(options?: { readonly policy?: string }): Promise<Entry | undefined>
  /** Gives back what this request consumed, such as for a successful login. */
  refund(): Promise<void>
}

/** May this client address come in? */
export interface Guard<Facts = unknown> extends Omit<Manager, 'widen'> {
  /** The answer; synchronous unless the store or a policy has to be waited for. Never throws or rejects for what a request holds. */
  check(request: GuardRequest, info?: CheckInfo<Facts>): Awaitable<Decision>
  /** What an adapter hands to the handler, after `check`. */
  handle(request: GuardRequest, decision: Decision): RequestHandle
  /** The reply to a refusal, with the changes of `onRefused`; undefined on `allow`. */
  reply(decision: Decision, request: GuardRequest): Reply | undefined
  /** A guard with more policies behind these, for one route, over the same store. What this one has asked of a request is not asked again. */
  with(options: { readonly policies: readonly Policy<Facts>[] }): Guard<Facts>
  /** A strike from the application; without `policy`, for the first ladder without a limit, else the first ladder. */
  strike(client: Client | string, options?: { readonly policy?: string }): Promise<Entry | undefined>
  status(): Promise<GuardStatus>
  status(ip: string, options?: { readonly request?: GuardRequest; readonly facts?: Facts }): Promise<ClientStatus>
  metrics(): Metrics
  /** Answers the function that takes the listener off. */
  on<Name extends keyof GuardEvents>(name: Name, listener: (event: GuardEvents[Name]) => void): () => void
  /** Ends this guard's watch on the store, and closes what the store itself started. */
  close(): Promise<void>
}

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
  return buildGuard(createRoot(options), options.policies, undefined)
}

/** A guard as those derived from it know it. */
interface Parent {
  readonly guard: object
  readonly length: number
  readonly parent: Parent | undefined
}

function buildGuard<Facts>(root: Root<Facts>, policies: readonly Policy<Facts>[], parent: Parent | undefined): Guard<Facts> {
  const { options, store, clock, hub, metrics, replica, sender, manager, resolver, observer, ipv6Prefix, deadlines, createId } = root
  for (const warning of creationWarnings(policies, store, resolver.trust)) hub.warn(warning)
  const { run, runFrom } = createEvaluator<Facts>({
    policies,
    replica,
    sender,
    hub,
    clock,
    deadlines,
    countedBefore: ({ context, dry }, hit) => {
      const memo = dry ? undefined : recall(context.request)
      // The newest one is this check's own.
      return memo?.next && countedBefore(memo.next, store, hit)
    },
    onStruck: root.onStruck,
    onExempt: root.onExempt,
  })
  const asEnforced = options.onUnknownClient ?? 'deny'

  function contextOf(request: GuardRequest, resolved: ResolvedClient | undefined, facts: Facts, now: number): CheckContext<Facts> {
    return new CheckContext(request, facts, now, false, resolved, root.isInfrastructure)
  }

  function check(request: GuardRequest, info: CheckInfo<Facts> = {}): Awaitable<Decision> {
    const known = recall(request)
    const mine = find(known, self)
    if (mine?.decision) return mine.decision
    const resolved = resolver.resolve(request, info.peer)
    const warning = observer.observe(request, info.peer, resolved)
    if (warning) hub.warn(warning)
    const now = clock.now()
    const checked = createCheck(contextOf(request, resolved, info.facts as Facts, now), false) // absent only where policies ask for none
    const memo: Memo = { guard: self, store, decision: undefined, decided: false, hits: checked.sent, replies: checked.replies, next: known }
    remember(request, memo)
    const inherited = heir(known, parent)
    const verdict = start(checked, inherited)
    if (!isPromise(verdict)) return (memo.decision = finish(checked, memo, verdict))
    memo.decision = verdict.then((each) => (memo.decision = finish(checked, memo, each)))
    return memo.decision
  }

  /** Everything up to the verdict: what a base guard has found, the unknown client, the entries. */
  function start(checked: Check<Facts>, inherited: { readonly memo: Memo; readonly length: number } | undefined): Awaitable<Verdict | Decision> {
    if (inherited) {
      const { memo, length } = inherited
      const go = (base: Decision): Awaitable<Verdict | Decision> => {
        if (memo.decided) return base
        checked.limits = base.limits && [...base.limits]
        checked.shadow = base.shadow && [...base.shadow]
        checked.degraded = base.degraded && [...base.degraded]
        return runFrom(checked, length)
      }
      return isPromise(memo.decision) ? memo.decision.then(go) : memo.decision ? go(memo.decision) : runFrom(checked, 0)
    }
    if (!checked.context.resolved && asEnforced === 'deny') {
      const outcome: Verdict = { action: 'deny', policy: 'client', reason: 'unknown-client', evidence: [{ kind: 'no-client' }] }
      if (replica.mode() === 'enforce') return outcome
      checked.shadow = [outcome]
    }
    const loaded = replica.ready(checked.context.now)
    if (loaded === true) return run(checked)
    checked.deadline = createDeadline(deadlines.store, clock)
    return checked.deadline.wait(loaded).then((settled) => {
      if ('late' in settled || replica.ready(checked.context.now) !== true) degrade(checked, 'entries')
      return run(checked)
    })
  }

  function finish(checked: Check<Facts>, memo: Memo, verdict: Verdict | Decision): Decision {
    checked.deadline?.end()
    memo.decided = verdict !== undefined
    const decision = verdict && 'at' in verdict ? verdict : decide(checked, verdict, createId)
    if (!checked.dry && decision !== verdict) {
      metrics.count(decision)
      if (hub.wants('decision')) hub.emit('decision', decision)
    }
    return decision
  }

  /** What `check` would say, changing nothing. */
  async function foresee(request: GuardRequest, resolved: ResolvedClient, facts: Facts): Promise<Decision> {
    const checked = createCheck(contextOf(request, resolved, facts, clock.now()), true)
    const verdict = await start(checked, undefined)
    checked.deadline?.end()
    return verdict && 'at' in verdict ? verdict : decide(checked, verdict, createId)
  }

  function resolveText(client: Client | string, call: string): ResolvedClient {
    const text = typeof client === 'string' ? client : client.ip
    const address = parseAddress(text)
    if (!address) throw new IpGuardError('IPGUARD_ADDRESS_INVALID', `${call}: ${describe(text)} is no address. Write '203.0.113.7' or '2001:db8::1'.`)
    return resolvedClient(address, ipv6Prefix, { rule: 'socket' })
  }

  async function strike(client: Client | string, { policy }: { readonly policy?: string } = {}): Promise<Entry | undefined> {
    const ladders = policies.filter((each) => each.counter?.(false).ladder && (policy === undefined || each.name === policy))
    const chosen = ladders.find((each) => each.counter?.(false).window === 0) ?? ladders[0]
    if (!chosen?.counter || !sender) {
      throw new IpGuardError('IPGUARD_LADDER_MISSING', `guard.strike finds no ladder${policy === undefined ? '' : ` on a policy named ${describe(policy)}`}. Write one: rateLimit({ name: 'login', ladder: [{ ban: '15m', after: 5 }] }).`)
    }
    const now = clock.now()
    const resolved = resolveText(client, 'guard.strike')
    const counter = chosen.counter(chosen.mode === 'shadow' || replica.mode() === 'shadow')
    const exempt = root.isInfrastructure(resolved.address)
    if (exempt) root.onExempt(chosen.name)
    const hit: Hit = { counter, key: counterKey(resolved), limit: 0, cost: 0, strike: true, exempt, jitter: counter.ladder?.jitter ? Math.random() : 0 }
    const deadline = createDeadline(deadlines.store, clock)
    const sent = sender.send([hit], now, 'all', { deadline: () => deadline, onErrorOf: () => 'local', failed: () => {} })
    const [answer] = isPromise(sent) ? await sent : sent
    deadline.end()
    if (answer?.strikes !== undefined) root.onStruck(hit, answer, now)
    return answer?.banned
  }

  async function refund(request: GuardRequest): Promise<void> {
    const hits: Hit[] = []
    for (let memo = recall(request); memo; memo = memo.next) {
      if (memo.store !== store) continue
      memo.hits.forEach((hit, i) => {
        const answer: HitReply | undefined = memo.replies[i]
        if (answer?.admitted && hit.cost > 0) hits.push({ ...hit, cost: -hit.cost, slot: answer.slot })
      })
      // Once: what was given back is not consumed any more.
      memo.hits.length = 0
      memo.replies.length = 0
    }
    if (hits.length > 0) await store?.hit(hits, { now: clock.now(), commit: 'all' })
  }

  async function quietly<T>(work: Promise<T>, what: string): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      hub.fail('IPGUARD_POLICY_FAILED', `${what} failed.`, error)
      return undefined
    }
  }

  const { widen: _widen, ...managing } = manager
  const self: Guard<Facts> = {
    ...managing,
    check,
    handle: (request, decision) => ({
      decision,
      strike: async (choice) => (decision.client ? quietly(strike(decision.client, choice), 'strike()') : undefined),
      refund: () => quietly(refund(request), 'refund()'),
    }),
    reply(decision, request) {
      const { exposeTier = false, onRefused } = options
      const plain = reply(decision, { accept: request.headers.get('accept'), method: request.method, exposeTier })
      if (!plain) return undefined
      return changed(() => onRefused?.(decision, changed(() => policyNamed(decision.policy)?.onRefused?.(plain, request), plain), request), plain)
    },
    with(more) {
      checkOptions(more, ['policies'], 'guard.with')
      checkPolicies(more.policies, 'guard.with.policies')
      checkGuardOptions({ ...options, policies: [...policies, ...more.policies] })
      return buildGuard(root, [...policies, ...more.policies], { guard: self, length: policies.length, parent })
    },
    strike,
    status: status as Guard<Facts>['status'], // one function behind two signatures
    metrics: () => metrics.read({ entries: replica.table.size, activeBans: replica.table.bans, warnings: hub.warnings.size }),
    on: (name, listener) => hub.on(name, listener),
    async close() {
      replica.close()
      await store?.close?.()
    },
  }
  return self

  function policyNamed(name: string | undefined): Policy<Facts> | undefined {
    return policies.find((each) => each.name === name)
  }

  function changed(change: () => Reply | undefined, plain: Reply): Reply {
    try {
      return change() ?? plain
    } catch (error) {
      hub.fail('IPGUARD_LISTENER_FAILED', 'onRefused threw.', error)
      return plain
    }
  }

  async function status(ip?: string, about: { readonly request?: GuardRequest; readonly facts?: Facts } = {}): Promise<GuardStatus | ClientStatus> {
    const now = clock.now()
    const loaded = replica.ready(now)
    if (loaded !== true) await loaded
    if (ip === undefined) return guardStatus(store, replica, policies, now)
    const resolved = resolveText(ip, 'guard.status')
    const request = about.request ?? { method: 'GET', url: '/', headers: new Headers() }
    const decision = await foresee(request, resolved, about.facts as Facts) // absent only where policies ask for none
    const { client } = resolved
    return clientStatus({ client, key: counterKey(resolved), entries: manager.entries({ ip }), decision, store, policies, mode: replica.mode(), now })
  }
}

function find(memo: Memo | undefined, guard: object): Memo | undefined {
  let each = memo
  while (each && each.guard !== guard) each = each.next
  return each
}

/** The findings of the nearest guard that this one was derived from, and how many policies that one has. */
function heir(memo: Memo | undefined, parent: Parent | undefined): { readonly memo: Memo; readonly length: number } | undefined {
  for (let each = parent; each && memo; each = each.parent) {
    const found = find(memo, each.guard)
    if (found) return { memo: found, length: each.length }
  }
  return undefined
}
