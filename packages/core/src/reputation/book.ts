import { describe, IpGuardError } from '../errors.ts'
import type { Address } from '../ip/address.ts'
import { createClientBudget } from './client-budget.ts'
import { lookUpNow } from './look-up.ts'
import type { Provider, Verdict } from './provider.ts'
import { providerSettings } from './provider-settings.ts'
import { createSource, type Source, type SourceHost, type SourceMetrics } from './source.ts'
import { createVerdictTable, type VerdictTable } from './verdict-table.ts'

/** What a provider has told of an address, in `guard.status(ip)`. Times are epoch ms. */
export interface SourceStatus {
  readonly provider: string
  readonly answer: 'verdict' | 'unlisted' | 'unknown'
  readonly verdict?: Verdict
  readonly at?: number
  readonly freshUntil?: number
  /** It counts still, and is asked for anew. */
  readonly stale?: boolean
}

/** What the reputation policies of one guard share: the answers, and who is asked for them. */
export interface Book {
  readonly table: VerdictTable
  /** The source of a provider, the same for the same one; at least these limits hold from now on. */
  join(provider: Provider, limits: BookLimits): Source
  /** A policy's place in the rows. */
  newPlace(): number
  /** Whether another address of this client may be looked up. */
  readonly mayLookUp: (client: string, ip: string, now: number) => boolean
  metrics(): Readonly<Record<string, SourceMetrics>>
  status(ip: string, address: Address): readonly SourceStatus[]
}

export interface BookLimits {
  readonly maxAddresses: number
  readonly concurrency: number
  readonly maxQueue: number
  readonly reserve: number
}

export interface BookHost extends SourceHost {
  readonly shared: <T>(key: object, make: () => T) => T
  readonly onClose: (call: () => Promise<void>) => void
}

/** Under which a guard's book is shared. */
export const BOOK: object = {}

export function bookOf(host: BookHost): Book {
  return host.shared(BOOK, () => createBook(host))
}

function createBook(host: BookHost): Book {
  const sources = new Map<string, Source>()
  const table = createVerdictTable()
  const limits = { maxAddresses: 0, concurrency: 0, maxQueue: 0, reserve: 0 }
  let places = 0
  host.onClose(async () => {
    await Promise.all([...sources.values()].map((source) => source.close()))
  })

  return {
    table,
    mayLookUp: createClientBudget(),
    newPlace: () => places++,
    join(provider, wanted) {
      const settings = providerSettings(provider, 'reputation.providers')
      for (const key of ['maxAddresses', 'concurrency', 'maxQueue', 'reserve'] as const)
        limits[key] = Math.max(limits[key], wanted[key])
      const known = sources.get(provider.name)
      if (known) {
        if (known.provider === provider) return known
        throw new IpGuardError(
          'IPGUARD_REPUTATION_INVALID',
          `Two reputation policies have different providers named ${describe(provider.name)}. Write one provider in both, or give each its own name.`,
        )
      }
      const source = createSource({
        provider,
        settings,
        place: sources.size,
        host,
        limits,
        keep(address, place, answer) {
          const row = table.change(address, limits.maxAddresses)
          if (typeof answer === 'number') row.retryAt[place] = answer
          else if ((row.told[place]?.at ?? 0) <= answer.at) row.told[place] = answer
        },
      })
      sources.set(provider.name, source)
      return source
    },
    // `fromEntries` defines own properties, so a provider named `__proto__` is one name among others.
    metrics: () => Object.fromEntries([...sources].map(([name, source]) => [name, source.metrics()])),
    status(ip, address) {
      const now = host.now()
      const row = table.find(address)
      return [...sources.values()].map(({ provider, place }) => {
        const told = row?.told[place]
        const local = provider.local ? lookUpNow(provider, ip) : undefined
        const { verdict } = local ?? told ?? {}
        const answer = verdict ? 'verdict' : 'unlisted'
        if (local) return { provider: provider.name, answer, ...(verdict && { verdict }) }
        if (!told || told.staleUntil <= now) return { provider: provider.name, answer: 'unknown' }
        const { at, freshUntil } = told
        return {
          provider: provider.name,
          answer,
          ...(verdict && { verdict }),
          at,
          freshUntil,
          stale: freshUntil <= now,
        }
      })
    },
  }
}
