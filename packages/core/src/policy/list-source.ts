import { type IpSet, ipSet } from '../ip/ip-set.ts'
import { invalidOption } from '../options.ts'

/** A list that somebody keeps up to date: `current` is swapped as a whole, and read anew for each request. Undefined: not loaded yet. */
export interface LiveList {
  readonly current: IpSet | undefined
}

/** A finished set, addresses and CIDRs (with labels if wanted), or a live list. */
export type ListSource = IpSet | LiveList | Iterable<string | { readonly cidr: string; readonly label?: string }>

/**
 * The list as policies ask it: `current` is read for each request, also when it never changes.
 *
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, naming the entry; `IPGUARD_OPTION_INVALID` when it is no list or a list of nothing.
 */
export function compileList(source: ListSource, option: string): LiveList {
  if (typeof source === 'object' && source !== null) {
    if ('hasAddress' in source) return { current: source }
    if ('current' in source) return source
    if (Symbol.iterator in source) {
      const set = ipSet(source)
      if (set.size === 0)
        throw invalidOption(option, 'an empty list', 'at least one address or CIDR, or a live list { current }')
      return { current: set }
    }
  }
  throw invalidOption(
    option,
    source,
    "a list of addresses and CIDRs, an ipSet, or a live list { current: IpSet }: ['203.0.113.7', '10.0.0.0/8']",
  )
}
