import type { Finding } from '@ipguard/core'

/** As much of Node's `process` as Node, Bun and Deno share. */
interface ProcessWithWarnings {
  readonly emitWarning?: (message: string, options: { readonly type: string; readonly code: string }) => void
}

/**
 * The `onWarning` of guards that Fetch adapters create: a process warning of type `IpGuardWarning` where there is a process, and otherwise,
 * as in a Worker, a line in its log.
 *
 * @example
 * createGuard({ policies, onWarning: warnHost })
 */
export function warnHost({ code, message }: Finding): void {
  const { process } = globalThis as { readonly process?: ProcessWithWarnings } // not there on every runtime
  if (process?.emitWarning) process.emitWarning(message, { type: 'IpGuardWarning', code })
  // biome-ignore lint/suspicious/noConsole: it is the only log that a Worker has
  else console.warn(`[${code}] IpGuardWarning: ${message}`)
}
