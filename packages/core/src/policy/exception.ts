import { describe, IpGuardError } from '../errors.ts'
import { compileList, type ListSource } from './list-source.ts'
import type { PolicyContext } from './policy.ts'

/** Something that knows whom to spare, such as a list of verified crawlers. */
export interface ExceptionRule {
  readonly name: string
  spares(context: Pick<PolicyContext, 'address' | 'request' | 'now'>): boolean
}

/** Addresses and CIDRs, sets, live lists, or rules. */
export type Exception = string | Exclude<ListSource, string> | ExceptionRule

/** @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, `IPGUARD_OPTION_INVALID` */
export function compileExceptions(
  exceptions: readonly Exception[] | undefined,
  option: string,
): (context: PolicyContext<unknown>) => boolean {
  if (exceptions === undefined) return () => false
  if (!Array.isArray(exceptions))
    throw new IpGuardError(
      'IPGUARD_OPTION_INVALID',
      `${option} is ${describe(exceptions)}. Write an array: ['203.0.113.7'].`,
    )
  const texts = exceptions.filter((each) => typeof each === 'string')
  const rules = exceptions.filter(
    (each): each is ExceptionRule => typeof each === 'object' && each !== null && 'spares' in each,
  )
  const others = exceptions.filter(
    (each): each is Exclude<Exception, string | ExceptionRule> =>
      typeof each !== 'string' && !rules.some((rule) => rule === each),
  )
  const lists = [...(texts.length > 0 ? [texts] : []), ...others].map((list, i) => compileList(list, `${option}[${i}]`))
  return (context) => {
    const { address } = context
    return (
      (address !== undefined && lists.some((list) => list.current?.hasAddress(address))) ||
      rules.some((rule) => rule.spares(context))
    )
  }
}
