import type { ReportHost } from './report-host.ts'
import { LONGEST_TIMEOUT, type ReportPlan, type ReportSource } from './report-options.ts'
import type { ReportOutcome, ReportReason } from './report-result.ts'

/** What a report shows to be sent: whose it is, and what it holds already. */
export interface Permitted {
  /** Of the client: what is deduplicated by. */
  readonly key: string
  /** Why it must not be sent, as it is now. */
  readonly refusal: () => ReportReason | undefined
  /** By which its claim is known as its own. */
  readonly token: string
  /** Its claim holds until then. */
  heldUntil: number
  /** The store has not answered: it may hold the claim all the same. */
  unsure: boolean
}

/** `go`: it may be sent now, and nobody else may; `wait`: the store cannot tell. */
export type Permission = 'go' | 'wait' | { readonly outcome: ReportOutcome; readonly reason?: ReportReason }

/** Asks for each attempt whether it may be made: may this address be reported, has nobody else done it, has the day room. */
export interface Permits {
  readonly ask: (item: Permitted) => Promise<Permission>
  /** Somebody else may report it. */
  readonly release: (item: Permitted) => Promise<void>
  /** The day's reports are used up, as far as is known here. */
  readonly isBroke: () => boolean
}

const DAY = 86_400_000
/** What may pass between a claim and the sending, beside the attempt itself. */
const SLACK = 5000
/** A day as counted here: what is sent late still fits the vendor's. The same for any timeout, so that guards that differ in it count together. */
const DAYS_WINDOW = DAY + LONGEST_TIMEOUT + SLACK

export function createPermits(
  { provider, window, perDay, timeout }: ReportSource,
  plan: ReportPlan,
  host: ReportHost,
): Permits {
  // A dry run takes nothing from what comes after it.
  const space = `${plan.dryRun ? 'dry' : 'live'} ${provider.name.length}:${provider.name}`
  let brokeUntil = 0

  /** Of parts that end where they say, so that no two of them read alike. */
  function recordOf({ key }: Permitted): string {
    return `ipguard:report:${space} ${key.length}:${key}`
  }

  const permits: Permits = {
    async ask(item) {
      if (!(await host.loaded())) return 'wait'
      const reason = item.refusal()
      if (reason) return { outcome: 'refused', reason }
      const now = host.now()
      // The window begins when the source may have it at the latest.
      const until = now + window + timeout + SLACK
      const known = item.heldUntil > now + SLACK ? 'held' : item.unsure ? 'unsure' : 'new'
      const claimed = await host.claim(recordOf(item), item.token, until, known)
      if (claimed === undefined) item.unsure = true
      if (claimed === undefined) return 'wait'
      if (!claimed) return { outcome: 'duplicate' }
      item.heldUntil = until
      const wanting = await host.pay(space, perDay, DAYS_WINDOW)
      if (wanting === undefined) return 'wait'
      if (wanting === 0) return 'go'
      brokeUntil = host.now() + wanting
      await permits.release(item)
      return { outcome: 'over-budget' }
    },
    async release(item) {
      // Only what is certainly its own: another's claim would go with it.
      if (item.heldUntil > host.now() + SLACK) await host.release(recordOf(item))
      item.heldUntil = 0
    },
    isBroke: () => host.now() < brokeUntil,
  }
  return permits
}
