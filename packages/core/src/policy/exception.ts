import { describe, IpGuardError } from '../errors.ts'
import type { Address } from '../ip/address.ts'
import { compileList, type ListSource } from './list-source.ts'
import type { PolicyContext } from './policy.ts'

/** What a rule is told of the request that it may spare. */
export type ExceptionContext = Pick<
  PolicyContext,
  'address' | 'allowable' | 'client' | 'degrade' | 'dry' | 'key' | 'now' | 'pend' | 'request' | 'waitUntil' | 'warn'
>

/** Something that knows whom to spare, such as a list of verified crawlers. */
export interface ExceptionRule {
  readonly name: string
  /** Asked by `deny` about who is on its list, by others about every request; synchronous. With `dry` it must start nothing. */
  spares(context: ExceptionContext): boolean
  /** Whether it is certain of this address, whatever the request looks like: such an address is never reported to anyone. */
  knows?(address: Address): boolean
}

/** Addresses and CIDRs, sets, live lists, or rules. */
export type Exception = string | Exclude<ListSource, string> | ExceptionRule

/**
 * Whether somebody is to be spared. A live list that is not loaded yet spares nobody; the decision then says so under `policy`.
 *
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, `IPGUARD_OPTION_INVALID`
 */
export function compileExceptions(
  exceptions: readonly Exception[] | undefined,
  option: string,
  policy: string,
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
    let open = false
    for (const list of lists) {
      const set = address && list.current
      if (address && set?.hasAddress(address)) return true
      open ||= address !== undefined && set === undefined
    }
    if (rules.some((rule) => rule.spares(context))) return true
    if (open) context.degrade(policy)
    return false
  }
}

/** Whether a rule among these is certain of an address. Of exceptions that were compiled, so checked, before. */
export function knownBy(exceptions: readonly Exception[] = []): (address: Address) => 'crawler' | undefined {
  const rules = exceptions.filter((each): each is ExceptionRule => typeof each === 'object' && 'spares' in each)
  return (address) => (rules.some((rule) => rule.knows?.(address)) ? 'crawler' : undefined)
}
