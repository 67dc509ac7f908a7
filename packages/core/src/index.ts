export { type AdapterOptions, checkAdapterOptions } from './adapter/adapter-options.ts'
export { type AdapterAnswer, answerRequest } from './adapter/answer-request.ts'
export { type AdapterDefaults, guardFrom, warningsOf } from './adapter/guard-from.ts'
export { isListHeader, mergeList } from './adapter/list-header.ts'
export { warnProcess } from './adapter/warn-process.ts'
export type { Client, ClientVia } from './client-ip/client.ts'
export type { ClientIpOptions, ClientIpPreset } from './client-ip/client-ip-options.ts'
export { azure, cloudFront, cloudflare, fastly } from './client-ip/presets/cdn-presets.ts'
export { awsAlb, caddy, gcp, haproxy, nginx } from './client-ip/presets/load-balancer-presets.ts'
export { cloudflareWorkers, fly, vercel } from './client-ip/presets/platform-presets.ts'
export { resolveClientIp } from './client-ip/resolve-client-ip.ts'
export type { CrawlerEvent, VerifiedCrawlersOptions } from './crawler/crawler-options.ts'
export type { Crawler, CrawlerName } from './crawler/crawlers.ts'
export type { CrawlerDns } from './crawler/system-dns.ts'
export { type CrawlerStatus, type VerifiedCrawlers, verifiedCrawlers } from './crawler/verified-crawlers.ts'
export { createGuard } from './create-guard.ts'
export { type Duration, parseDuration } from './duration.ts'
export { describe, IpGuardError, type IpGuardErrorCode } from './errors.ts'
export { type Clock, schedule, systemClock } from './guard/clock.ts'
export type { GuardEvents, Logger } from './guard/events.ts'
export type { CheckInfo, Guard, RequestHandle } from './guard/guard.ts'
export type { GuardOptions } from './guard/guard-options.ts'
export { createIdSet, type IdSet } from './guard/id-set.ts'
export type { BanOptions, EntryFilter, EntryOptions } from './guard/manage.ts'
export type { Metrics } from './guard/metrics.ts'
export type { ClientStatus, GuardStatus } from './guard/status.ts'
export { type Address, formatAddress, normalizeIp, parseAddress } from './ip/address.ts'
export { buildIpSet, type IpSet, type IpSetMatch, ipSet, ipSetFromBytes } from './ip/ip-set.ts'
export { type Prefix, parsePrefix } from './ip/prefix.ts'
export { classifyAddress, type SpecialRange, subtractSpecial } from './ip/special.ts'
export { checkOptions, invalidOption } from './options.ts'
export type {
  Action,
  Decision,
  Evidence,
  LimitState,
  PolicyOutcome,
  Reason,
  ReputationEvidence,
  ReputationVoice,
} from './policy/decision.ts'
export type { Exception, ExceptionContext, ExceptionRule } from './policy/exception.ts'
export type { ListSource, LiveList } from './policy/list-source.ts'
export { allow, deny, type ListPolicyOptions, onlyAllow } from './policy/lists.ts'
export { exceptPaths, type Matcher, onMethods, onPaths, type RequestMatcher } from './policy/matcher.ts'
export {
  type CustomPolicyOptions,
  type Outcome,
  type Policy,
  type PolicyContext,
  type PolicyOptions,
  policy,
} from './policy/policy.ts'
export type { PolicyHost, VerdictEvent } from './policy/policy-host.ts'
export { type PerRequest, type RateLimitOptions, rateLimit } from './policy/rate-limit.ts'
export type { Reply } from './policy/refusal.ts'
export { type ReputationOptions, reputation } from './policy/reputation.ts'
export { allowHeaders, type HeaderOptions, type ReplyOptions, reply } from './reply/render-reply.ts'
export { replyResponse, toResponse } from './reply/to-response.ts'
export type { ReportsOptions } from './report/report-options.ts'
export type {
  ReportCounts,
  ReportEvent,
  ReportInput,
  ReportOutcome,
  ReportReason,
  ReportResult,
} from './report/report-result.ts'
export type { SourceStatus } from './reputation/book.ts'
export { CATEGORIES, type Category } from './reputation/category.ts'
export type { LookupContext, Provider, Quota, Verdict } from './reputation/provider.ts'
export { REPORT_TYPES, type Report, type ReportType } from './reputation/report.ts'
export type { SourceMetrics } from './reputation/source.ts'
export type { GuardRequest } from './request.ts'
export { isPromise } from './store/awaitable.ts'
export { createBanBook } from './store/ban-book.ts'
export { type BanBook, type Counters, type CountersOptions, createCounters } from './store/counters.ts'
export { createEntry, type Entry, type EntryChange } from './store/entry.ts'
export { createEntryTable, type EntryTable, type EntryTableOptions } from './store/entry-table.ts'
export type { Algorithm, Counter, CounterKey, Hit, HitCommit, HitReply } from './store/hit.ts'
export type { Ladder, LadderOptions, LadderTier, TierReport } from './store/ladder.ts'
export type { Awaitable, EntryStore, Finding, Store, StoreStats } from './store/store.ts'
