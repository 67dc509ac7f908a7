import type { Client } from '../client-ip/client.ts'
import type { Decision } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { Reply } from '../policy/refusal.ts'
import type { HeaderOptions } from '../reply/render-reply.ts'
import type { ReportInput, ReportResult } from '../report/report-result.ts'
import type { GuardRequest } from '../request.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { Entry } from '../store/entry.ts'
import type { GuardEvents } from './events.ts'
import type { Manager } from './manage.ts'
import type { Metrics } from './metrics.ts'
import type { ClientStatus, GuardStatus } from './status.ts'

/** What an adapter knows about a request beside the request: the connection, the application’s facts, the platform. */
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
  /** What `check` answered, frozen. */
  readonly decision: Decision
  /** A strike for this client, such as for a failed login. Answers the ban that it brought about, if any. */
  strike(options?: { readonly policy?: string }): Promise<Entry | undefined>
  /** Gives back what this request consumed, such as for a successful login. */
  refund(): Promise<void>
}

/** May this client address come in? */
export interface Guard<Facts = unknown> extends Omit<Manager, 'widen'> {
  /** No client is found where `check` is given no `peer`: so it is unless `clientIp` says `originUnreachable`. */
  readonly needsPeer: boolean
  /** The answer; synchronous unless the store or a policy has to be waited for. Never throws or rejects for what a request holds. */
  check(request: GuardRequest, info?: CheckInfo<Facts>): Awaitable<Decision>
  /** What an adapter hands to the handler, after `check`. */
  handle(request: GuardRequest, decision: Decision): RequestHandle
  /** The reply to a refusal, with the changes of `onRefused`; undefined on `allow`. */
  reply(decision: Decision, request: GuardRequest, options?: HeaderOptions): Reply | undefined
  /** A guard with more policies behind these, for one route, over the same store. What this one has asked of a request is not asked again. */
  with(options: { readonly policies: readonly Policy<Facts>[] }): Guard<Facts>
  /** A strike from the application; without `policy`, for the first ladder without a limit, else the first ladder. */
  strike(client: Client | string, options?: { readonly policy?: string }): Promise<Entry | undefined>
  /**
   * Tells the providers of `reports` of an attacker; answers what became of it at each. Never of an address that may be forged or is known to
   * be somebody else's, at most once in `reports.window`, and by default only in a dry run. A client's `via` says whether it could be forged.
   *
   * Rejects for what it was given only: `IPGUARD_ADDRESS_INVALID`, `IPGUARD_OPTION_INVALID`, `IPGUARD_REPORTS_MISSING`.
   */
  report(client: Client | string, report: ReportInput): Promise<readonly ReportResult[]>
  /** How many entries, bans by tier, counters and strikes there are, and in which mode. */
  status(): Promise<GuardStatus>
  /** All that is known of one client, and what `check` would say, without counting. */
  status(ip: string, options?: { readonly request?: GuardRequest; readonly facts?: Facts }): Promise<ClientStatus>
  /** Counters since the start and gauges; no address is ever a label. */
  metrics(): Metrics
  /** Answers the function that takes the listener off. */
  on<Name extends keyof GuardEvents>(name: Name, listener: (event: GuardEvents[Name]) => void): () => void
  /** Ends this guard's watch on the store, and closes what the store itself started. */
  close(): Promise<void>
}
