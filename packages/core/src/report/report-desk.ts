import type { Report } from '../reputation/report.ts'
import { createOutbox } from './outbox.ts'
import type { ReportHost } from './report-host.ts'
import type { ReportPlan, ReportSource } from './report-options.ts'
import { type Listing, type ReportScope, type ReportSubject, reportRefusal } from './report-refusal.ts'
import type { ReportCounts, ReportInput, ReportReason, ReportResult } from './report-result.ts'

/** Whom a report is about, and which policies know of them. */
export interface Reported extends ReportSubject {
  readonly ip: string
  readonly key: string
  readonly policies: readonly Listing[]
}

/** Takes reports, looks whether they may be sent, and hands them to each provider's outbox. */
export interface ReportDesk {
  /** Never rejects. `strikes`: of an automatic report. */
  send(reported: Reported, input: ReportInput, strikes?: number): Promise<readonly ReportResult[]>
  /** By provider. */
  counts(): Readonly<Record<string, ReportCounts>>
  close(): void
}

export function createReportDesk(plan: ReportPlan, scope: ReportScope, host: ReportHost): ReportDesk {
  const outboxes = plan.sources.map((source) => ({ source, outbox: createOutbox(source, plan, host) }))

  /** Undefined: it could not be redacted, and must not be sent. */
  function reportOf({ type, message = `ipguard: ${type}`, at }: ReportInput, ip: string): Report | undefined {
    try {
      return { type, message: plan.redact(message, ip), at: at === undefined ? host.now() : Number(at) }
    } catch (error) {
      host.fail('A report was not sent: its message could not be redacted.', error)
      return undefined
    }
  }

  function isUnsupported({ provider }: ReportSource, ip: string, type: ReportInput['type']): boolean {
    if (provider.reportTypes && !provider.reportTypes.includes(type)) return true
    try {
      return provider.supports?.(ip) === false
    } catch (error) {
      host.fail(`supports() of ${provider.name} threw.`, error)
      return true
    }
  }

  return {
    async send({ ip, key, address, via, policies }, input, strikes) {
      const refusal = (): ReportReason | undefined => reportRefusal({ address, via }, policies, scope)
      const reason = refusal() ?? (strikes !== undefined && strikes < plan.minStrikes ? 'evidence' : undefined)
      const report = reason ? undefined : reportOf(input, ip)
      const untold = { ip, report: { type: input.type, message: '', at: 0 } }
      return Promise.all(
        outboxes.map(async ({ source, outbox }) => {
          if (reason) return outbox.refuse(untold, 'refused', reason)
          if (!report) return outbox.refuse(untold, 'failed', 'redact')
          if (isUnsupported(source, ip, input.type)) return outbox.refuse(untold, 'refused', 'unsupported')
          return outbox.offer({ ip, key, report, refusal })
        }),
      )
    },
    counts: () => Object.fromEntries(outboxes.map(({ source, outbox }) => [source.provider.name, outbox.counts()])),
    close() {
      for (const { outbox } of outboxes) outbox.close()
    },
  }
}
