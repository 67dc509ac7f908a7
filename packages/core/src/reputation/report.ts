/** What an address has done, in words that providers map to their own. */
export const REPORT_TYPES = [
  'brute-force',
  'spam',
  'ddos',
  'scan',
  'phishing',
  'malware',
  'bot',
  'fraud',
  'web-attack',
  'other',
] as const

/** What a client did, in words that every provider translates into its own. */
export type ReportType = (typeof REPORT_TYPES)[number]

/** One report, redacted and ready to send. */
export interface Report {
  readonly type: ReportType
  /** One line of at most 1,000 characters, without what could be personal or secret. */
  readonly message: string
  /** Epoch ms of what happened. */
  readonly at: number
}
