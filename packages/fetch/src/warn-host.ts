import { type Finding, warnProcess } from '@ipguard/core'

/**
 * The `onWarning` of guards that Fetch adapters create: a process warning of type `IpGuardWarning` where there is a process, and otherwise,
 * as in a Worker, a line in its log.
 *
 * @example
 * createGuard({ policies, onWarning: warnHost })
 */
export function warnHost(warning: Finding): void {
  // biome-ignore lint/suspicious/noConsole: it is the only log that a Worker has
  if (!warnProcess(warning)) console.warn(`[${warning.code}] IpGuardWarning: ${warning.message}`)
}
