import type { Address } from '../ip/address.ts'
import type { IpSet } from '../ip/ip-set.ts'
import { ipSet } from '../ip/ip-set.ts'
import { checkOptions } from '../options.ts'
import type { Evidence } from './decision.ts'
import { compileExceptions, type Exception } from './exception.ts'
import { compileList, type ListSource } from './list-source.ts'
import { POLICY_OPTIONS, type Policy, type PolicyOptions, policyFields } from './policy.ts'

export interface ListPolicyOptions<Facts> extends PolicyOptions<Facts> {
  /** Spares these although they are on the list: addresses, CIDRs, sets. */
  readonly except?: readonly Exception[]
}

const NOTHING = ipSet([])

/**
 * Lets in whoever is on the list, and ends the evaluation: no limit counts, no ban holds. Put it first.
 *
 * A client whose address is not certain (every hop was a trusted proxy, or no client) is on no allow list.
 *
 * @example
 * allow(['192.0.2.10', '10.20.0.0/24'])
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID` for a bad entry, `IPGUARD_OPTION_INVALID` for an empty list
 */
export function allow<Facts = unknown>(list: ListSource, options: PolicyOptions<Facts> = {}): Policy<Facts> {
  checkOptions(options, POLICY_OPTIONS, 'allow')
  const compiled = compileList(list, 'allow')
  return {
    ...policyFields(options, 'allow', 'allow'),
    kind: 'allow',
    list: () => compiled.current ?? NOTHING,
    evaluate({ address, allowable }) {
      const set = compiled.current
      if (!address || !allowable || !set?.hasAddress(address)) return undefined
      return { action: 'allow', evidence: onList(set, address) }
    },
  }
}

/**
 * Refuses whoever is on the list. `except` spares addresses; allow policies and allow entries that stand before it win at any prefix length.
 *
 * @example
 * deny(['198.51.100.0/24'], { except: ['198.51.100.7'] })
 * @throws {IpGuardError} as {@link allow}
 */
export function deny<Facts = unknown>(list: ListSource, options: ListPolicyOptions<Facts> = {}): Policy<Facts> {
  checkOptions(options, [...POLICY_OPTIONS, 'except'], 'deny')
  const compiled = compileList(list, 'deny')
  const spared = compileExceptions(options.except, 'deny.except')
  return {
    ...policyFields(options, 'deny', 'deny'),
    kind: 'deny',
    evaluate(context) {
      const { address } = context
      const set = compiled.current
      if (!address || !set?.hasAddress(address) || spared(context)) return undefined
      return { action: 'deny', reason: 'denied', evidence: onList(set, address) }
    },
  }
}

/**
 * Refuses whoever is not on the list; those on it go on to the next policy. An unknown client is refused.
 *
 * With it, a request from a trusted proxy without its header has no client: a proxy that forgot the header lets nobody in under its own address.
 *
 * @example
 * onlyAllow(['10.0.0.0/8', '2001:db8:a::/48'])
 * @throws {IpGuardError} as {@link allow}
 */
export function onlyAllow<Facts = unknown>(list: ListSource, options: PolicyOptions<Facts> = {}): Policy<Facts> {
  checkOptions(options, POLICY_OPTIONS, 'onlyAllow')
  const compiled = compileList(list, 'onlyAllow')
  return {
    ...policyFields(options, 'onlyAllow', 'only-allow'),
    kind: 'only-allow',
    list: () => compiled.current ?? NOTHING,
    evaluate({ address, allowable, client }) {
      // A trusted proxy that sent no header, or too short a one, stands for nobody: its own address opens nothing.
      const certain = client?.via.because === undefined || client.via.because === 'peer-untrusted'
      if (address && allowable && certain && compiled.current?.hasAddress(address)) return undefined
      return {
        action: 'deny',
        reason: 'denied',
        evidence: [client ? { kind: 'not-listed', ip: client.ip } : { kind: 'no-client' }],
      }
    },
  }
}

/** Membership comes first, as most requests are on no list; only then is it told which entry. */
function onList(set: IpSet, address: Address): Evidence[] {
  const match = set.lookupAddress(address)
  return match ? [{ kind: 'list', ...match }] : []
}
