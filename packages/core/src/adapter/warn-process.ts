import type { Finding } from '../store/store.ts'

/**
 * An `onWarning` that gives the process a warning of type `IpGuardWarning`, which Node, Bun and Deno print to stderr. Answers false where
 * there is no process, as in a Worker.
 *
 * @example
 * createGuard({ policies, onWarning: warnProcess })
 */
export function warnProcess({ code, message }: Finding): boolean {
  // The runtime's, where it has one: core needs none of Node's types.
  const { process } = globalThis as { readonly process?: { emitWarning?(text: string, options: object): void } }
  process?.emitWarning?.(message, { type: 'IpGuardWarning', code })
  return process?.emitWarning !== undefined
}
