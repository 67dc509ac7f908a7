import type { Address } from '../ip/address.ts'
import type { IpSet } from '../ip/ip-set.ts'
import { ipSet } from '../ip/ip-set.ts'
import { checkOptions } from '../options.ts'
import type { Evidence } from './decision.ts'
import { compileExceptions, type Exception, knownBy } from './exception.ts'
import { compileList, type ListSource, type LiveList } from './list-source.ts'
import { POLICY_OPTIONS, type Policy, type PolicyContext, type PolicyOptions, policyFields } from './policy.ts'

/** The options of `allow`, `deny` and `onlyAllow`. */
export interface ListPolicyOptions<Facts> extends PolicyOptions<Facts> {
  /** Spares these although they are on the list: addresses, CIDRs, sets. */
  readonly except?: readonly Exception[]
}

const NOTHING = ipSet([])

/**
 * Lets in whoever is on the list, and ends the evaluation: no limit counts, no ban holds. Put it first.
 *
 * A client whose address is not certain (every hop was a trusted proxy, or no client) is on no allow list. A live list that is not loaded yet
 * lets nobody in, and the decision is `degraded`.
 *
 * @example
 * allow(['192.0.2.10', '10.20.0.0/24'])
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID` for a bad entry, `IPGUARD_OPTION_INVALID` for an empty list
 */
export function allow<Facts = unknown>(list: ListSource, options: PolicyOptions<Facts> = {}): Policy<Facts> {
  checkOptions(options, POLICY_OPTIONS, 'allow')
  const compiled = compileList(list, 'allow')
  const fields = policyFields(options, 'allow', 'allow')
  return {
    ...fields,
    kind: 'allow',
    ...listFields(list, compiled),
    evaluate(context) {
      const { address, allowable } = context
      if (!address || !allowable) return undefined
      const set = compiled.current
      if (set === undefined) return unloaded(context, fields.name)
      return set.hasAddress(address) ? { action: 'allow', evidence: onList(set, address) } : undefined
    },
  }
}

/**
 * Refuses whoever is on the list. `except` spares addresses; allow policies and allow entries that stand before it win at any prefix length.
 * A live list that is not loaded yet refuses nobody, and the decision is `degraded`.
 *
 * @example
 * deny(['198.51.100.0/24'], { except: ['198.51.100.7'] })
 * @throws {IpGuardError} as {@link allow}
 */
export function deny<Facts = unknown>(list: ListSource, options: ListPolicyOptions<Facts> = {}): Policy<Facts> {
  checkOptions(options, [...POLICY_OPTIONS, 'except'], 'deny')
  const compiled = compileList(list, 'deny')
  const fields = policyFields(options, 'deny', 'deny')
  const spared = compileExceptions(options.except, 'deny.except', fields.name)
  const known = knownBy(options.except)
  return {
    ...fields,
    kind: 'deny',
    known: (address) => known(address) ?? (compiled.current?.hasAddress(address) ? 'listed' : undefined),
    evaluate(context) {
      const { address } = context
      if (!address) return undefined
      const set = compiled.current
      if (set === undefined) return unloaded(context, fields.name)
      if (!set.hasAddress(address) || spared(context)) return undefined
      return { action: 'deny', reason: 'denied', evidence: onList(set, address) }
    },
  }
}

/**
 * Refuses whoever is not on the list; those on it go on to the next policy. An unknown client is refused.
 *
 * With it, a request from a trusted proxy without its header has no client: a proxy that forgot the header lets nobody in under its own address.
 * A live list that is not loaded yet has nobody on it: all are refused, and the decision is `degraded`.
 *
 * @example
 * onlyAllow(['10.0.0.0/8', '2001:db8:a::/48'])
 * @throws {IpGuardError} as {@link allow}
 */
export function onlyAllow<Facts = unknown>(list: ListSource, options: PolicyOptions<Facts> = {}): Policy<Facts> {
  checkOptions(options, POLICY_OPTIONS, 'onlyAllow')
  const compiled = compileList(list, 'onlyAllow')
  const fields = policyFields(options, 'onlyAllow', 'only-allow')
  return {
    ...fields,
    kind: 'only-allow',
    ...listFields(list, compiled),
    evaluate(context) {
      const { address, allowable, client } = context
      const set = compiled.current
      if (set === undefined) context.degrade(fields.name)
      // A trusted proxy that sent no header, or too short a one, stands for nobody: its own address opens nothing.
      const certain = client?.via.because === undefined || client.via.because === 'peer-untrusted'
      if (address && allowable && certain && set?.hasAddress(address)) return undefined
      return {
        action: 'deny',
        reason: 'denied',
        evidence: [client ? { kind: 'not-listed', ip: client.ip } : { kind: 'no-client' }],
      }
    },
  }
}

/** The list as `ban` and the warnings at creation see it. A live one is not read at creation: that may be what starts its loading. */
function listFields(source: ListSource, compiled: LiveList): { readonly list: () => IpSet; readonly live: boolean } {
  return { list: () => compiled.current ?? NOTHING, live: source === compiled }
}

/** A live list before its first load matches nothing, and the decision says that it could not be asked. */
function unloaded(context: Pick<PolicyContext, 'degrade'>, name: string): undefined {
  context.degrade(name)
}

/** Membership comes first, as most requests are on no list; only then is it told which entry. */
function onList(set: IpSet, address: Address): Evidence[] {
  const match = set.lookupAddress(address)
  return match ? [{ kind: 'list', ...match }] : []
}
