import type { ClientVia } from '../client-ip/client.ts'
import type { Address } from '../ip/address.ts'
import { classifyAddress } from '../ip/special.ts'
import type { Policy } from '../policy/policy.ts'
import type { ReportReason } from './report-result.ts'

/** What a report must not be about, as far as a guard knows. */
export interface ReportScope {
  readonly isInfrastructure: (address: Address) => boolean
  /** The guard takes the client's address from a header, and nobody checks who sends it. */
  readonly spoofable: boolean
  /** Entries that let this address in. */
  readonly isAllowed: (address: Address) => boolean
  /** Entries that somebody else's list has brought. */
  readonly isImported: (address: Address) => boolean
  readonly inShadow: () => boolean
}

export interface ReportSubject {
  readonly address: Address
  /** How the guard came to the address; undefined when the application says it. */
  readonly via: ClientVia | undefined
}

/** What policies know of addresses. */
export type Listing = Pick<Policy, 'kind' | 'list' | 'known'>

/** Why there must be no report of this address; undefined: there may. Asked anew before each attempt. */
export function reportRefusal(
  { address, via }: ReportSubject,
  policies: readonly Listing[],
  scope: ReportScope,
): ReportReason | undefined {
  if (classifyAddress(address) !== undefined) return 'private'
  if (scope.isInfrastructure(address)) return 'infrastructure'
  if (scope.spoofable || via?.rule === 'all-trusted') return 'spoofable'
  if (scope.isAllowed(address) || policies.some(({ kind, list }) => kind === 'allow' && list?.().hasAddress(address)))
    return 'allow-listed'
  const known = policies.map((policy) => policy.known?.(address))
  if (known.includes('crawler')) return 'crawler'
  if (known.includes('listed') || scope.isImported(address)) return 'feed'
  return scope.inShadow() ? 'shadow' : undefined
}
