import { memoryStore } from '../../store-memory/src/index.ts'
import { createGuard } from '../src/create-guard.ts'
import type { Guard } from '../src/guard/guard.ts'
import type { GuardOptions } from '../src/guard/guard-options.ts'
import type { ReportsOptions } from '../src/report/report-options.ts'
import type { ReportEvent } from '../src/report/report-result.ts'
import type { Provider } from '../src/reputation/provider.ts'
import type { Report } from '../src/reputation/report.ts'
import type { Store } from '../src/store/store.ts'
import { type HandClock, handClock, turn } from './hand-clock.ts'

/** Ordinary public addresses: examples of the documentation ranges are never reported. */
export const IP = '45.155.205.10'
export const OTHER = '45.155.205.11'
export const IPV6 = '2a00:1450:4001:1::7'

export interface FakeSource extends Provider {
  /** Every report that arrived, in order. */
  readonly got: { readonly ip: string; readonly report: Report }[]
  /** How many came with each call. */
  readonly calls: number[]
  /** What the next calls throw, undefined for nothing; after them nothing. */
  readonly throws: unknown[]
}

/** A source that takes what it is told, unless the test says otherwise. */
export function fakeSource(over: Partial<Provider> = {}, many = false): FakeSource {
  const got: FakeSource['got'] = []
  const calls: number[] = []
  const throws: unknown[] = []
  const take = async (reports: FakeSource['got']): Promise<void> => {
    calls.push(reports.length)
    // Whatever the test says, as providers come from other people's code.
    const thrown = throws.shift()
    if (thrown !== undefined) return Promise.reject(thrown as Error)
    got.push(...reports)
  }
  return {
    name: 'source',
    lookup: () => undefined,
    report: (ip, report) => take([{ ip, report }]),
    ...(many && { reportMany: (reports) => take([...reports]) }),
    ...over,
    got,
    calls,
    throws,
  }
}

export interface ReportKit {
  readonly guard: Guard
  readonly clock: HandClock
  readonly store: Store
  readonly source: FakeSource
  readonly events: ReportEvent[]
  /** Sets the time on, and lets what comes of it happen. */
  pass(ms: number): Promise<void>
}

/** A guard that reports for real to a fake source, on memory, with time set by hand. */
export function reportKit(
  reports: Partial<ReportsOptions> = {},
  options: Partial<GuardOptions> = {},
  shared: { readonly clock?: HandClock; readonly source?: FakeSource } = {},
): ReportKit {
  const { clock = handClock(), source = fakeSource() } = shared
  const store = options.store ?? memoryStore({ clock })
  const guard = createGuard({
    policies: [],
    clock,
    ...options,
    store,
    reports: { providers: [source], dryRun: false, ...reports },
  })
  const events: ReportEvent[] = []
  guard.on('report', (event) => events.push(event))
  return {
    guard,
    clock,
    store,
    source,
    events,
    async pass(ms) {
      clock.advance(ms)
      for (let i = 0; i < 5; i++) await turn()
    },
  }
}
