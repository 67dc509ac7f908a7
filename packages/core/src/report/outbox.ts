import type { Report } from '../reputation/report.ts'
import { createAttempts } from './report-attempt.ts'
import { reportFate, retryAfterOf } from './report-fate.ts'
import type { ReportHost } from './report-host.ts'
import type { ReportPlan, ReportSource } from './report-options.ts'
import { createPermits, type Permitted } from './report-permit.ts'
import type { ReportCounts, ReportOutcome, ReportReason, ReportResult } from './report-result.ts'

/** One report on its way to one provider. */
export interface Parcel extends Pick<Permitted, 'key' | 'refusal'> {
  readonly ip: string
  readonly report: Report
}

/** What waits for one provider, and what it came to. */
export interface Outbox {
  /** Answers the outcome of the first attempt; `queued` when there is none soon. */
  offer(parcel: Parcel): Promise<ReportResult>
  /** One that is not to be sent at all. */
  refuse(parcel: Pick<Parcel, 'ip' | 'report'>, outcome: ReportOutcome, reason: ReportReason): ReportResult
  counts(): ReportCounts
  close(): void
}

interface Item extends Parcel, Permitted {
  /** Counted up: the least is the oldest. */
  readonly number: number
  tries: number
  /** It was in a batch that failed: it may be the reason. */
  alone: boolean
  queued: boolean
  resolve: (result: ReportResult) => void
  /** Ends the timer by which its caller is told that it waits. */
  cancel: () => void
}

/** Sent at the same time, one by one; or in one call where the source has such a one. */
const AT_ONCE = 4
const TOGETHER = 100
/** Before the first repetition; each later one waits twice as long, up to the most. */
const BACKOFF = 30_000
const MOST_BACKOFF = 3_600_000
/** While the store is away. */
const STORE_PAUSE = 1000
/** A source that refuses this sender is left alone. */
const REFUSED_PAUSE = 3_600_000

const COUNTED = {
  sent: 'sent',
  'dry-run': 'dryRun',
  duplicate: 'duplicate',
  'over-budget': 'overBudget',
  refused: 'refused',
  failed: 'failed',
} as const

export function createOutbox(source: ReportSource, plan: ReportPlan, host: ReportHost): Outbox {
  const { provider, timeout } = source
  const { name } = provider
  const { dryRun, maxQueue, retries } = plan
  const counts = { sent: 0, dryRun: 0, duplicate: 0, overBudget: 0, refused: 0, failed: 0, dropped: 0 }
  const waiting = new Map<string, Item>()
  /** Under way, so that the same client is not taken on twice. */
  const moving = new Set<string>()
  const permits = createPermits(source, plan, host)
  const attempts = createAttempts(timeout, host.after)
  let last = 0
  let busy = false
  let closed = false
  let pausedUntil = 0
  let refusedUntil = 0
  /** Batches are not taken at present. */
  let singlyUntil = 0
  let cancel: (() => void) | undefined

  function tell(parcel: Pick<Parcel, 'ip' | 'report'>, outcome: ReportOutcome, reason?: ReportReason): ReportResult {
    const { ip, report } = parcel
    if (reason === 'dropped' || reason === 'closed') counts.dropped++
    else if (outcome !== 'queued') counts[COUNTED[outcome]]++
    const result = { provider: name, outcome, ...(reason && { reason }) }
    host.tell({ ip, ...result, type: report.type, ...(outcome === 'dry-run' && { message: report.message }) })
    return result
  }

  function end(item: Item, outcome: ReportOutcome, reason?: ReportReason): void {
    item.cancel()
    moving.delete(item.key)
    item.resolve(tell(item, outcome, reason))
  }

  function endAll(items: readonly Item[], outcome: ReportOutcome, reason?: ReportReason): void {
    for (const item of items) end(item, outcome, reason)
  }

  /** Whoever waits for it is told that it takes longer. */
  function tellQueued(item: Item): void {
    item.cancel()
    if (!item.queued) item.resolve(tell(item, 'queued'))
    item.queued = true
  }

  function put(item: Item): void {
    moving.delete(item.key)
    waiting.set(item.key, item)
    if (waiting.size <= maxQueue) return
    let oldest = item
    for (const each of waiting.values()) if (each.number < oldest.number) oldest = each
    waiting.delete(oldest.key)
    host.warn(
      {
        code: 'IPGUARD_REPORTS_DROPPED',
        message: `More than maxQueue = ${maxQueue} reports wait for ${name}, and the oldest had to go. Look at what it answers, or raise reports.maxQueue.`,
      },
      name,
    )
    end(oldest, 'failed', 'dropped')
  }

  /** Not taken, or not sent yet: later again. */
  function putBack(item: Item): void {
    if (closed) end(item, 'failed', 'closed')
    else {
      put(item)
      if (waiting.get(item.key) === item) tellQueued(item)
    }
  }

  function pause(ms: number): void {
    pausedUntil = Math.max(pausedUntil, host.now() + ms)
  }

  function arm(): void {
    cancel?.()
    cancel = undefined
    if (closed || busy || waiting.size === 0) return
    const left = pausedUntil - host.now()
    if (left > 0) cancel = host.after(left, arm)
    else void run()
  }

  async function run(): Promise<void> {
    busy = true
    while (!closed && waiting.size > 0 && host.now() >= pausedUntil) {
      const allowed = await Promise.all(take().map(async (item) => ((await isAllowed(item)) ? [item] : [])))
      await deliver(allowed.flat())
    }
    busy = false
    arm()
  }

  function take(): Item[] {
    const items = [...waiting.values()].slice(0, isTogether() ? TOGETHER : AT_ONCE)
    for (const { key } of items) {
      waiting.delete(key)
      moving.add(key)
    }
    return items
  }

  function isTogether(): boolean {
    return provider.reportMany !== undefined && !dryRun && host.now() >= singlyUntil
  }

  async function isAllowed(item: Item): Promise<boolean> {
    const permission = await permits.ask(item)
    if (permission === 'go') return true
    if (permission === 'wait') {
      pause(STORE_PAUSE)
      putBack(item)
    } else end(item, permission.outcome, permission.reason)
    return false
  }

  async function deliver(items: readonly Item[]): Promise<void> {
    const batch = isTogether() ? items.filter((item) => !item.alone) : []
    const isWorth = batch.length >= Math.max(2, provider.reportManyFrom ?? 2)
    const rest = isWorth ? items.filter((item) => item.alone) : items
    if (isWorth) {
      const reports = batch.map(({ ip, report }) => ({ ip, report }))
      await send(batch, async (signal) => provider.reportMany?.(reports, { signal }))
    }
    for (let i = 0; i < rest.length; i += AT_ONCE) {
      await Promise.all(
        rest.slice(i, i + AT_ONCE).map(async (item) => {
          if (closed) end(item, 'failed', 'closed')
          else if (dryRun) end(item, 'dry-run')
          else if (host.now() < pausedUntil) putBack(item)
          else await send([item], (signal) => provider.report(item.ip, item.report, { signal }))
        }),
      )
    }
  }

  async function send(items: readonly Item[], call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (closed) return endAll(items, 'failed', 'closed')
    const result = await attempts.make(call)
    if (!result) return endAll(items, 'sent')
    const { thrown } = result
    const fate = reportFate(thrown)
    if (fate === 'refused') return refuseAll(items, thrown)
    if (fate === 'unknown') return fail(items, 'unknown', 'may have been taken, and is not sent again', thrown)
    const [item] = items
    // Of a batch it is not known which one was meant, or whether the source minds batches: next they go one by one.
    if (!item || items.length > 1) return split(items, thrown)
    if (fate === 'duplicate') return end(item, 'duplicate')
    if (fate === 'declined') {
      void permits.release(item)
      return end(item, 'refused', 'unsupported')
    }
    pause(delayOf(item.tries, thrown))
    if (item.tries++ >= retries) return fail(items, 'retries', 'was not taken', thrown)
    putBack(item)
  }

  function split(items: readonly Item[], thrown: unknown): void {
    singlyUntil = host.now() + delayOf(0, thrown)
    for (const item of items) {
      item.alone = true
      putBack(item)
    }
  }

  function fail(items: readonly Item[], reason: ReportReason, what: string, cause: unknown): void {
    host.fail(`A report to ${name} ${what}.`, cause)
    endAll(items, 'failed', reason)
  }

  function refuseAll(items: readonly Item[], cause: unknown): void {
    refusedUntil = host.now() + REFUSED_PAUSE
    host.fail(`${name} takes no reports from this sender, and is left alone for an hour.`, cause)
    const all = [...items, ...waiting.values()]
    waiting.clear()
    for (const item of all) {
      // After the hour it may be reported by whoever meets it.
      void permits.release(item)
      end(item, 'refused', 'provider')
    }
  }

  return {
    offer(parcel) {
      const now = host.now()
      if (closed) return Promise.resolve(tell(parcel, 'failed', 'closed'))
      if (now < refusedUntil) return Promise.resolve(tell(parcel, 'refused', 'provider'))
      if (waiting.has(parcel.key) || moving.has(parcel.key)) return Promise.resolve(tell(parcel, 'duplicate'))
      if (permits.isBroke()) return Promise.resolve(tell(parcel, 'over-budget'))
      return new Promise((resolve) => {
        const item: Item = {
          ...parcel,
          token: crypto.randomUUID(),
          heldUntil: 0,
          unsure: false,
          number: ++last,
          tries: 0,
          alone: false,
          queued: false,
          resolve,
          cancel: host.after(2 * timeout, () => tellQueued(item)),
        }
        put(item)
        if (now < pausedUntil) tellQueued(item)
        // Those that come in one turn go together.
        void Promise.resolve().then(arm)
      })
    },
    refuse: tell,
    counts: () => ({ ...counts, queued: waiting.size + moving.size }),
    close() {
      closed = true
      cancel?.()
      attempts.close()
      endAll([...waiting.values()], 'failed', 'closed')
      waiting.clear()
    },
  }
}

function delayOf(tries: number, thrown: unknown): number {
  return Math.max(retryAfterOf(thrown), Math.min(BACKOFF * 2 ** tries, MOST_BACKOFF))
}
