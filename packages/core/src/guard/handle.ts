import { type Client, type ResolvedClient, resolvedClient } from '../client-ip/client.ts'
import { describe, IpGuardError } from '../errors.ts'
import { parseAddress } from '../ip/address.ts'
import type { Decision } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { ReportInput, ReportResult } from '../report/report-result.ts'
import type { GuardRequest } from '../request.ts'
import { SITE_BAN } from '../store/ban-book.ts'
import type { Entry } from '../store/entry.ts'
import type { Hit } from '../store/hit.ts'
import { counterKey, NONE } from './check.ts'
import type { RequestHandle } from './guard.ts'
import { recall } from './memo.ts'
import type { Root } from './root.ts'
import { refunds } from './trips.ts'

/** What an application says about a client or a request after the decision. */
export interface Handler {
  readonly handle: (request: GuardRequest, decision: Decision) => RequestHandle
  readonly strike: (client: Client | string, options?: { readonly policy?: string }) => Promise<Entry | undefined>
  readonly report: (client: Client | string, input: ReportInput) => Promise<readonly ReportResult[]>
  readonly resolveText: (client: Client | string, call: string) => ResolvedClient
}

export function createHandler<Facts>(root: Root<Facts>, policies: readonly Policy<Facts>[]): Handler {
  const { store, clock, hub, replica, sender, ipv6Prefix } = root

  function resolveText(client: Client | string, call: string): ResolvedClient {
    const text = typeof client === 'string' ? client : client.ip
    const address = parseAddress(text)
    if (!address)
      throw new IpGuardError(
        'IPGUARD_ADDRESS_INVALID',
        `${call}: ${describe(text)} is no address. Write '203.0.113.7' or '2001:db8::1'.`,
      )
    return resolvedClient(address, ipv6Prefix, { rule: 'socket' })
  }

  async function strike(
    client: Client | string,
    { policy }: { readonly policy?: string } = {},
    waitUntil?: (work: Promise<unknown>) => void,
  ): Promise<Entry | undefined> {
    const ladders = policies.filter(
      (each) => each.counter?.(false).ladder && (policy === undefined || each.name === policy),
    )
    const chosen = ladders.find((each) => each.counter?.(false).window === 0) ?? ladders[0]
    if (!chosen?.counter || !sender) {
      throw new IpGuardError(
        'IPGUARD_LADDER_MISSING',
        `guard.strike finds no ladder${policy === undefined ? '' : ` on a policy named ${describe(policy)}`}. Write one: rateLimit({ name: 'login', ladder: [{ ban: '15m', after: 5 }] }).`,
      )
    }
    const now = clock.now()
    const resolved = resolveText(client, 'guard.strike')
    const counter = chosen.counter(chosen.mode === 'shadow' || replica.mode() === 'shadow')
    // None while banned; the store knows of bans on exactly this client only, the copy of wider ones too.
    const scopes = counter.shadow ? [counter.banScope] : [SITE_BAN, counter.banScope]
    if (scopes.some((scope) => replica.table.match(scope, resolved.address, now))) return undefined
    const exempt = root.isInfrastructure(resolved.address)
    if (exempt) root.onExempt(chosen.name)
    const hit: Hit = {
      counter,
      key: counterKey(resolved),
      limit: 0,
      cost: 0,
      strike: true,
      exempt,
      jitter: counter.ladder?.jitter ? Math.random() : 0,
    }
    const [answer] = await sender.sendAside([hit], now, 'all', 'local')
    const striker = {
      ...resolved.client,
      address: resolved.address,
      via: typeof client === 'string' ? undefined : client.via,
      policies,
      waitUntil,
    }
    if (answer?.strikes !== undefined) await root.onStruck(hit, answer, now, striker)
    return answer?.banned
  }

  async function refund(request: GuardRequest): Promise<void> {
    const hits: Hit[] = []
    for (let check = recall(request); check; check = check.next) {
      if (check.root.store !== store) continue
      hits.push(...refunds(check))
      // Once: what was given back is not consumed any more.
      check.sent = NONE
      check.replies = NONE
      check.consumed = NONE
    }
    if (hits.length > 0) await sender?.sendAside(hits, clock.now(), 'all', 'allow')
  }

  async function quietly<T>(work: Promise<T>, what: string): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      hub.fail('IPGUARD_POLICY_FAILED', `${what} failed.`, error)
      return undefined
    }
  }

  const acts: Acts = {
    strike: async (request, decision, choice) =>
      decision.client ? quietly(strike(decision.client, choice, recall(request)?.waitUntil), 'strike()') : undefined,
    refund: (request) => quietly(refund(request), 'refund()'),
  }

  return {
    handle: (request, decision) => new Handle(decision, request, acts),
    strike: (client, choice) => strike(client, choice),
    report: (client, input) => root.reports.report(client, input, policies),
    resolveText,
  }
}

/** What handlers ask for, of any request. */
interface Acts {
  readonly strike: (
    request: GuardRequest,
    decision: Decision,
    choice: { readonly policy?: string } | undefined,
  ) => Promise<Entry | undefined>
  readonly refund: (request: GuardRequest) => Promise<void>
}

/** A class, against the house rule: one is made for every request, and few handlers ask for the functions; they can be taken off it. */
class Handle implements RequestHandle {
  readonly decision: Decision
  readonly #request: GuardRequest
  readonly #acts: Acts

  constructor(decision: Decision, request: GuardRequest, acts: Acts) {
    this.decision = decision
    this.#request = request
    this.#acts = acts
  }

  get strike(): RequestHandle['strike'] {
    return (choice) => this.#acts.strike(this.#request, this.decision, choice)
  }

  get refund(): RequestHandle['refund'] {
    return () => this.#acts.refund(this.#request)
  }
}
