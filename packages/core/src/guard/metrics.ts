import type { Action, Decision } from '../policy/decision.ts'
import type { ReportCounts } from '../report/report-result.ts'
import type { SourceMetrics } from '../reputation/source.ts'

/** Plain counters since the guard was made, and gauges. Their number is bounded by the number of policies; no address is ever a label. */
export interface Metrics {
  readonly decisions: Readonly<Record<Action, number>>
  /** By policy, then action: refusals, and what allow policies let in. */
  readonly policies: Readonly<Record<string, Readonly<Partial<Record<Action, number>>>>>
  /** What shadow policies would have done. */
  readonly shadow: Readonly<Record<string, Readonly<Partial<Record<Action, number>>>>>
  readonly strikes: number
  readonly bans: number
  readonly unbans: number
  /** Decisions with at least one part degraded. */
  readonly degraded: number
  readonly errors: number
  readonly warnings: number
  /** Held now by this instance's copy. Of more than 10,000 some may have ended already: each call looks at so many. */
  readonly entries: number
  readonly activeBans: number
  /** By provider: what became of look-ups. */
  readonly reputation: Readonly<Record<string, SourceMetrics>>
  /** By provider: what became of reports. */
  readonly reports: Readonly<Record<string, ReportCounts>>
}

export interface MetricsBook {
  count(decision: Decision): void
  add(name: 'strikes' | 'bans' | 'unbans' | 'errors'): void
  read(gauges: Pick<Metrics, 'entries' | 'activeBans' | 'warnings' | 'reports' | 'reputation'>): Metrics
}

type ByAction = Partial<Record<Action, number>>

/** Names beyond this are counted together: a policy's name may be made by a program. */
const MOST_NAMES = 256

export function createMetrics(): MetricsBook {
  const decisions = { allow: 0, challenge: 0, limit: 0, deny: 0 }
  const policies = new Map<string, ByAction>()
  const shadow = new Map<string, ByAction>()
  const totals = { strikes: 0, bans: 0, unbans: 0, errors: 0 }
  let degraded = 0

  function bump(book: Map<string, ByAction>, policy: string, action: Action): void {
    const name = book.has(policy) || book.size < MOST_NAMES ? policy : 'other'
    const counts = book.get(name) ?? {}
    counts[action] = (counts[action] ?? 0) + 1
    book.set(name, counts)
  }

  return {
    count(decision) {
      decisions[decision.action]++
      if (decision.policy !== undefined) bump(policies, decision.policy, decision.action)
      if (decision.shadow) for (const each of decision.shadow) bump(shadow, each.policy, each.action)
      if (decision.degraded) degraded++
    },
    add(name) {
      totals[name]++
    },
    read: (gauges) => ({
      decisions: { ...decisions },
      policies: copy(policies),
      shadow: copy(shadow),
      ...totals,
      degraded,
      ...gauges,
    }),
  }
}

/** `fromEntries` defines own properties, so a policy named `__proto__` is one name among others. */
function copy(book: ReadonlyMap<string, ByAction>): Record<string, ByAction> {
  return Object.fromEntries([...book].map(([name, counts]) => [name, { ...counts }]))
}
