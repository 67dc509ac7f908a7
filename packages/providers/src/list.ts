import {
  checkOptions,
  IpGuardError,
  type IpSet,
  invalidOption,
  ipSet,
  type ListSource,
  type LiveList,
  type Provider,
} from '@ipguard/core'
import { type CommonOptions, checkCommonOptions } from './http-provider-options.ts'
import { type CompiledListing, compileListing, type Listing } from './listing.ts'

export type { Listing } from './listing.ts'

/** The options of `list`: a set or feed, and what being on it means. */
export interface ListOptions extends Pick<CommonOptions, 'name' | 'weight'> {
  /** A finished set, addresses and CIDRs (with labels if wanted), or a live list such as a feed. */
  readonly list: ListSource
  /** What being on the list stands for. @default 100 */
  readonly listing?: Listing
  /** What being on it under that label stands for, in place of `listing`. */
  readonly labels?: Readonly<Record<string, Listing>>
}

/**
 * A list as a source of reputation: being on it is one voice among several, where `deny(list)` would be the last word. Answers in the request
 * itself, from memory. The label of the entry, if it has one, stands in the verdict's detail.
 *
 * A live list that has not been loaded yet could not tell: it says "not listed" of nobody.
 *
 * @example
 * list({ name: 'office-blocklist', list: ['198.51.100.0/24'], listing: { score: 60, categories: ['abuse'] } })
 * @throws {IpGuardError} `IPGUARD_CIDR_INVALID`, naming the entry; `IPGUARD_OPTION_INVALID` when it is no list or a list of nothing;
 * `IPGUARD_OPTION_UNKNOWN`
 */
export function list(options: ListOptions): Provider {
  checkOptions(options, ['name', 'weight', 'list', 'listing', 'labels'], 'list')
  const { name, weight } = checkCommonOptions('list', options, {})
  const source = compileSource(options.list)
  const usual = compileListing(options.listing ?? 100, 'list.listing')
  const labels = new Map(
    Object.entries(options.labels ?? {}).map(([label, each]) => [
      label,
      compileListing(each, `list.labels["${label}"]`),
    ]),
  )
  return {
    name,
    ...(weight !== undefined && { weight }),
    local: true,
    lookup(ip) {
      const set = source.current
      if (!set) throw new IpGuardError('IPGUARD_PROVIDER_FAILED', `The list of ${name} has not been loaded yet.`)
      // Membership first: most addresses are on no list, and finding the entry costs more.
      if (!set.has(ip)) return undefined
      const { cidr, label = '' } = set.lookup(ip) ?? { cidr: ip }
      return verdict(labels.get(label) ?? usual, label === '' ? cidr : `${cidr} ${label}`)
    },
  }
}

function verdict({ score, categories, label }: CompiledListing, entry: string): ReturnType<Provider['lookup']> {
  if (score === 0) return undefined
  const detail = label === undefined ? entry : `${label}: ${entry}`
  return { score, ...(categories.length > 0 && { categories }), detail: detail.slice(0, 200) }
}

function compileSource(source: ListSource): { readonly current: IpSet | undefined } | LiveList {
  if (typeof source === 'object' && source !== null) {
    if ('hasAddress' in source) return { current: source }
    if ('current' in source) return source
    if (Symbol.iterator in source) {
      const current = ipSet(source)
      if (current.size > 0) return { current }
      throw invalidOption('list.list', 'an empty list', 'at least one address or CIDR, or a live list { current }')
    }
  }
  throw invalidOption('list.list', source, "addresses and CIDRs, an ipSet, or a live list { current }: ['203.0.113.7']")
}
