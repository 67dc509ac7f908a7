import type { Finding } from '@ipguard/core'

/**
 * The `onWarning` of guards that Node adapters create: a process warning of type `IpGuardWarning`, which Node prints to stderr.
 *
 * @example
 * createGuard({ policies, onWarning: warnProcess })
 * process.on('warning', (warning) => log.warn(warning))
 */
export function warnProcess({ code, message }: Finding): void {
  process.emitWarning(message, { type: 'IpGuardWarning', code })
}
