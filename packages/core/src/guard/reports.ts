import type { Client, ClientVia } from '../client-ip/client.ts'
import { isPlatform } from '../client-ip/presets/platform-presets.ts'
import { formatDuration } from '../duration.ts'
import { IpGuardError } from '../errors.ts'
import type { Address } from '../ip/address.ts'
import { parseReport } from '../report/parse-report.ts'
import { createReportDesk, type ReportDesk } from '../report/report-desk.ts'
import type { ReportHost } from '../report/report-host.ts'
import { planReports } from '../report/report-options.ts'
import type { Listing } from '../report/report-refusal.ts'
import type { ReportCounts, ReportInput, ReportResult } from '../report/report-result.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import { SITE_BAN } from '../store/ban-book.ts'
import type { Counter, CounterKey, Hit, HitReply } from '../store/hit.ts'
import { schedule } from './clock.ts'
import type { Deadline } from './deadline.ts'
import type { GuardOptions } from './guard-options.ts'
import { isInfrastructure } from './infrastructure.ts'
import type { Root } from './root.ts'

/** Who has struck, as far as it is known. */
export interface Striker {
  readonly ip: string
  readonly key: string
  readonly address: Address
  readonly via: ClientVia | undefined
  readonly policies: readonly Listing[]
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/** A guard's reports to others. */
export interface Reports {
  /** As `guard.report`. Rejects only for what it was given. */
  report(client: Client | string, input: ReportInput, policies: readonly Listing[]): Promise<readonly ReportResult[]>
  /** A hit has brought a ban about: reports it when its tier says so. */
  struck(hit: Hit, reply: HitReply, striker: Striker): void
  counts(): Readonly<Record<string, ReportCounts>>
  /** Nothing is sent any more; ends what the providers have started. */
  close(): Promise<void>
}

type Parts = Pick<
  Root<never>,
  'store' | 'clock' | 'hub' | 'breaker' | 'replica' | 'sender' | 'ipv6Prefix' | 'resolver' | 'startDeadline'
>

/** Without the option there is nothing to send to; the call that asks for it says so. */
export function createReports(options: Pick<GuardOptions<never>, 'reports' | 'clientIp'>, parts: Parts): Reports {
  const { replica, clock, hub, ipv6Prefix, resolver } = parts
  const { clientIp = {} } = options
  const plan = options.reports && planReports(options.reports)
  const desk: ReportDesk | undefined =
    plan &&
    createReportDesk(
      plan,
      {
        // Whether or not ladders may ban it.
        isInfrastructure: isInfrastructure(resolver.trust),
        spoofable: clientIp.originUnreachable === true && !isPlatform(clientIp),
        isAllowed: (address) => replica.table.match('allow', address, clock.now()) !== undefined,
        isImported(address) {
          const now = clock.now()
          const ban = replica.table.match(SITE_BAN, address, now)
          const foreign = ban !== undefined && ban.tier === undefined && ban.by !== 'manual'
          return foreign || replica.table.match('deny', address, now) !== undefined
        },
        inShadow: () => replica.mode() === 'shadow',
      },
      reportHost(parts),
    )

  return {
    async report(client, input, policies) {
      if (!desk)
        throw new IpGuardError(
          'IPGUARD_REPORTS_MISSING',
          'guard.report has nobody to tell. Write createGuard({ reports: { providers: [abuseipdb({ key })] } }), with a provider that can report.',
        )
      return desk.send({ ...parseReport(client, input, ipv6Prefix), policies }, input)
    },
    struck({ counter }, { banned, strikes = 1 }, striker) {
      const tier = counter.ladder?.tiers.findLast((each) => each.name === banned?.tier)
      if (!desk || !tier?.report || counter.shadow) return
      const count = `${strikes} ${strikes === 1 ? 'strike' : 'strikes'}`
      const message = `ipguard: ${count} on limit ${JSON.stringify(counter.policy)} within ${formatDuration(tier.within)}`
      const told = desk.send(striker, { message, ...tier.report }, strikes)
      striker.waitUntil?.(told)
    },
    counts: () => desk?.counts() ?? {},
    async close() {
      desk?.close()
      for (const { provider } of plan?.sources ?? []) {
        try {
          await provider.close?.()
        } catch (error) {
          hub.fail('IPGUARD_REPORT_FAILED', `${provider.name} did not close.`, error)
        }
      }
    },
  }
}

function reportHost({ store, clock, hub, breaker, replica, sender, startDeadline }: Parts): ReportHost {
  /** One object for each: stores may keep state by it. */
  const budgets = new Map<string, Counter>()

  /** What the store answers, by the deadline; undefined when it does not. */
  async function ask<T>(call: () => Awaitable<T> | undefined): Promise<{ readonly value: T } | undefined> {
    if (!breaker.admits()) return undefined
    try {
      const answer = call()
      if (answer === undefined) return undefined
      if (!isPromise(answer)) return { value: answer }
      const deadline = startDeadline()
      const settled = await breaker.ask(answer, deadline)
      deadline.end()
      return 'value' in settled ? settled : undefined
    } catch (error) {
      breaker.failed(error ?? null)
      return undefined
    }
  }

  return {
    now: () => clock.now(),
    after: (ms, call) => schedule(clock, ms, call),
    async loaded() {
      const loading = replica.ready()
      if (typeof loading === 'object') {
        const deadline = startDeadline()
        await deadline.wait(loading)
        deadline.end()
      }
      return replica.loaded()
    },
    async claim(key, token, until, known) {
      const set = await ask(() => store?.set(key, token, until, known === 'held' ? {} : { ifAbsent: true }))
      if (set === undefined || set.value || known === 'new') return set?.value
      // An earlier attempt may have been done, although its answer never came.
      const held = await ask(async () => store?.get(key))
      if (held === undefined || held.value === undefined) return undefined
      if (held.value !== token) return false
      return (await ask(() => store?.set(key, token, until))) && true
    },
    async release(key) {
      await ask(() => store?.delete(key))
    },
    async pay(name, perDay, window) {
      const now = clock.now()
      const counter = budgets.get(name) ?? budgetOf(name, window)
      budgets.set(name, counter)
      let deadline: Deadline | undefined
      let isLost = false
      const replies = await sender?.send([{ counter, key: budgetKey(name), limit: perDay, cost: 1 }], now, 'all', {
        deadline() {
          deadline = startDeadline()
          return deadline
        },
        onErrorOf: () => 'deny',
        failed() {
          isLost = true
        },
      })
      deadline?.end()
      const [reply] = replies ?? []
      if (!reply || isLost) return undefined
      return reply.admitted ? 0 : Math.max(1, reply.retryIn)
    },
    tell: (event) => hub.emit('report', event),
    warn: (warning, about) => hub.warn(warning, about),
    fail: (message, cause) => hub.fail('IPGUARD_REPORT_FAILED', message, cause),
  }
}

function budgetOf(name: string, window: number): Counter {
  return {
    id: `reports ${name} sliding-window ${window}`,
    policy: 'reports',
    algorithm: 'sliding-window',
    window,
    shadow: false,
    largest: Number.POSITIVE_INFINITY,
    banScope: SITE_BAN,
  }
}

function budgetKey(name: string): CounterKey {
  return { kind: 0, length: 0, a: 0, b: 0, c: 0, d: 0, text: `reports ${name}` }
}
