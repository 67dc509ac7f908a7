import type { ReportType } from '../reputation/report.ts'

/**
 * What became of a report at one provider.
 * - `sent`: the source took it;
 * - `dry-run`: it would have been sent;
 * - `queued`: it waits for the source or the store; an event tells how it ended;
 * - `duplicate`: this client was reported to it inside the window, by whichever process, or the source said so itself;
 * - `over-budget`: the day's reports are used up;
 * - `refused`: it must not be sent, or the source refuses this sender;
 * - `failed`: it was not taken, or nobody knows whether it was: it is not sent again.
 */
export type ReportOutcome = 'sent' | 'dry-run' | 'queued' | 'duplicate' | 'over-budget' | 'refused' | 'failed'

/**
 * Why nothing was sent.
 * - `private`: no ordinary public address; `infrastructure`: a trusted proxy or a range of the presets;
 * - `spoofable`: whoever sent the request may have chosen the address;
 * - `allow-listed`, `crawler`: somebody known; `feed`: known from others' lists, who would hear their own word back;
 * - `shadow`: the guard refuses nobody; `evidence`: fewer strikes than `minStrikes`;
 * - `unsupported`: the source takes no such address; `provider`: it refuses this sender;
 * - `retries`: every attempt failed; `unknown`: it may have been taken; `redact`: the message could not be redacted;
 * - `dropped`: too many were waiting; `closed`: the guard was closed.
 */
export type ReportReason =
  | 'private'
  | 'infrastructure'
  | 'spoofable'
  | 'allow-listed'
  | 'crawler'
  | 'feed'
  | 'shadow'
  | 'evidence'
  | 'unsupported'
  | 'provider'
  | 'retries'
  | 'unknown'
  | 'redact'
  | 'dropped'
  | 'closed'

/** What a call of `guard.report` came to at one provider. */
export interface ReportResult {
  readonly provider: string
  readonly outcome: ReportOutcome
  readonly reason?: ReportReason
}

/** The same as it happens, of automatic reports too. */
export interface ReportEvent extends ReportResult {
  readonly ip: string
  readonly type: ReportType
  /** In a dry run: what would have been sent. */
  readonly message?: string
}

/** Of one provider since the guard was made; `queued` waits now. */
export interface ReportCounts {
  readonly sent: number
  readonly dryRun: number
  readonly duplicate: number
  readonly overBudget: number
  readonly refused: number
  readonly failed: number
  /** Made room for others, or were waiting when the guard was closed. */
  readonly dropped: number
  readonly queued: number
}

/** What to report, as the application says it. */
export interface ReportInput {
  readonly type: ReportType
  /** For people, up to 1,000 characters after redaction. @default 'ipguard: ' and the type */
  readonly message?: string
  /** When it happened: epoch ms or a Date. @default now */
  readonly at?: number | Date
}
