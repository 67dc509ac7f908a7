import type { Finding } from '@ipguard/core'
import { warnHost } from '@ipguard/fetch'

/** The `onWarning` of guards that the adapter creates: a process warning; in the edge runtime, where `process` refuses that, a line in the log. */
export function warnNext(warning: Finding): void {
  // biome-ignore lint/suspicious/noConsole: it is the only log of the edge runtime
  if (process.env.NEXT_RUNTIME === 'edge') console.warn(`[${warning.code}] IpGuardWarning: ${warning.message}`)
  else warnHost(warning)
}
