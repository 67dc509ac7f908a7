import {
  type AdapterOptions,
  type Awaitable,
  answerRequest,
  checkOptions,
  type Decision,
  type Guard,
  type GuardOptions,
  type GuardRequest,
  type RequestHandle,
} from '@ipguard/core'
import { headers as nextHeaders } from 'next/headers.js'
import { requestKey } from './connection.ts'
import { connectionFor, nextGuard } from './next-guard.ts'

/** What is known of the request that carries a server action. */
export type ActionHeaders = GuardRequest['headers']

/** A server action that is told the decision, before its own arguments. */
export type GuardedAction<Args extends readonly unknown[], Result> = (
  handle: RequestHandle,
  ...args: Args
) => Awaitable<Result>

/**
 * Guards a server action: on a refusal, the answer is what `refused` makes of the decision. It may also throw, as `redirect` does.
 *
 * Takes a guard, or the options of `createGuard` as `ipguard` does. An action can be posted to any page, and its caller chooses which: rules
 * about paths have no say here. `RateLimit` headers cannot be set by an action.
 *
 * @example
 * 'use server'
 * export const logIn = guardAction(
 *   guard,
 *   async ({ strike }, form: FormData) => {
 *     if (!(await passwordIsRight(form))) await strike()
 *   },
 *   ({ retryAfter }) => ({ error: `Too many tries. Wait ${retryAfter} seconds.` }),
 * )
 * @throws {IpGuardError} as `ipguard` does
 */
export function guardAction<Args extends readonly unknown[], Result, Refused, Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  action: GuardedAction<Args, Result>,
  refused: (decision: Decision) => Awaitable<Refused>,
  options: Pick<AdapterOptions<ActionHeaders, Facts>, 'facts'> = {},
): (...args: Args) => Promise<Result | Refused> {
  checkOptions(options, ['facts'], 'guardAction')
  const guard = nextGuard(optionsOrGuard, options, 'guardAction')
  return async (...args) => {
    const headers: ActionHeaders = await nextHeaders()
    const connection = connectionFor(guard)
    const url = connection?.url ?? '/'
    const native = requestKey(connection, 'POST', url)
    const facts = options.facts?.(headers)
    const seen: GuardRequest = {
      method: 'POST',
      url,
      headers: connection?.headers ?? headers,
      ...(native && { native }),
    }
    const info = { peer: connection?.peer, ...(facts !== undefined && { facts }) }
    const { handle, refusal } = await answerRequest(guard, seen, info)
    return refusal ? refused(handle.decision) : action(handle, ...args)
  }
}
