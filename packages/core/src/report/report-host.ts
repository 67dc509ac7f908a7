import type { Finding } from '../store/store.ts'
import type { ReportEvent } from './report-result.ts'

/** What reports need of their guard. Nothing of it rejects. */
export interface ReportHost {
  readonly now: () => number
  /** Calls once after that many ms; answers the function that cancels. */
  readonly after: (ms: number, call: () => void) => () => void
  /** The guard knows its entries: without, nobody can tell who is on an allow list. */
  readonly loaded: () => Promise<boolean>
  /**
   * Makes the record `key` this report's until `until`: true when it is, false when it is another's, undefined when the store cannot tell.
   * `held`: it is this report's already; `unsure`: it may be, as the store did not answer the last time.
   */
  readonly claim: (
    key: string,
    token: string,
    until: number,
    known: 'new' | 'unsure' | 'held',
  ) => Promise<boolean | undefined>
  readonly release: (key: string) => Promise<void>
  /** One of the day's reports: 0 when there is one, else ms until there may be; undefined when the store cannot tell. */
  readonly pay: (name: string, perDay: number, window: number) => Promise<number | undefined>
  readonly tell: (event: ReportEvent) => void
  readonly warn: (warning: Finding, provider: string) => void
  readonly fail: (message: string, cause: unknown) => void
}
