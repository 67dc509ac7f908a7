import type { Client } from '../client-ip/client.ts'
import type { Decision } from '../policy/decision.ts'
import type { Policy } from '../policy/policy.ts'
import type { SourceStatus } from '../reputation/book.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { Entry } from '../store/entry.ts'
import type { CounterKey, Hit, HitReply } from '../store/hit.ts'
import type { StoreStats } from '../store/store.ts'
import type { Mode, Replica } from './replica.ts'

/** How many are tracked now. */
export interface GuardStatus {
  readonly mode: Mode
  /** The store is away, or its entries are not loaded: decisions are made without. */
  readonly degraded: boolean
  readonly policies: readonly string[]
  /** Counters, strikes and evictions, when the store can tell cheaply. */
  readonly store?: StoreStats
  readonly entries: { readonly allow: number; readonly deny: number; readonly ban: number; readonly shadow: number }
  /** Active bans by the ladder's tier; `manual` for those by hand. */
  readonly bansByTier: Readonly<Record<string, number>>
}

/** Everything known of one client. */
export interface ClientStatus {
  readonly ip: string
  readonly key: string
  /** Entries that cover the client, those of shadow policies apart. */
  readonly entries: readonly Entry[]
  readonly shadow: readonly Entry[]
  /** By limit: what is left, and the strikes of its ladder. */
  readonly limits: readonly {
    readonly policy: string
    readonly shadow: boolean
    readonly limit?: number
    readonly remaining?: number
    readonly strikes?: number
  }[]
  /** By provider of the reputation policies: what it has told, as far as this process knows. */
  readonly reputation: readonly SourceStatus[]
  /** What `check` would say to such a request now, without counting it. */
  readonly decision: Decision
}

export function guardStatus(
  replica: Replica,
  policies: readonly StatusPolicy[],
  { now, away, stats }: { readonly now: number; readonly away: boolean; readonly stats: StoreStats | undefined },
): GuardStatus {
  const entries = { allow: 0, deny: 0, ban: 0, shadow: 0 }
  const tiers = new Map<string, number>()
  for (const { kind, shadow, tier } of replica.table.list(now)) {
    if (kind === 'mode') continue
    entries[shadow ? 'shadow' : kind]++
    if (kind === 'ban' && !shadow) tiers.set(tier ?? 'manual', (tiers.get(tier ?? 'manual') ?? 0) + 1)
  }
  return {
    mode: replica.mode(),
    degraded: away || !replica.loaded(),
    policies: policies.map(({ name }) => name),
    entries,
    bansByTier: Object.fromEntries(tiers),
    ...(stats && { store: stats }),
  }
}

export interface ClientQuestion {
  readonly client: Client
  readonly key: CounterKey
  readonly entries: readonly Entry[]
  readonly reputation: readonly SourceStatus[]
  readonly decision: Decision
  /** Reads one counter without changing it; undefined without a store. */
  readonly read: ((hit: Hit) => Awaitable<readonly HitReply[]>) | undefined
  readonly policies: readonly StatusPolicy[]
  readonly mode: Mode
}

type StatusPolicy = Pick<Policy, 'name' | 'mode' | 'counter'>

/** Reads each limit's counter and strikes without changing them. */
export async function clientStatus({
  client,
  key,
  entries,
  reputation,
  decision,
  read: ask,
  policies,
  mode,
}: ClientQuestion): Promise<ClientStatus> {
  const limits: ClientStatus['limits'][number][] = []
  for (const policy of policies) {
    const shadow = policy.mode === 'shadow' || mode === 'shadow'
    const counter = policy.counter?.(shadow)
    if (!counter || !ask) continue
    // What the decision has read knows of keys and bursts.
    const read = decision.limits?.find((each) => each.policy === policy.name && each.window === counter.window)
    const known = read?.limit ?? (counter.largest < Number.POSITIVE_INFINITY ? counter.largest : undefined)
    const [reply] = await ask({ counter, key, limit: known ?? 0, cost: 0 })
    limits.push({
      policy: policy.name,
      shadow,
      ...(known !== undefined && counter.window > 0 && reply && { limit: known, remaining: (read ?? reply).remaining }),
      ...(reply?.strikes !== undefined && { strikes: reply.strikes }),
    })
  }
  return {
    ip: client.ip,
    key: client.key,
    entries: entries.filter((entry) => !entry.shadow),
    shadow: entries.filter((entry) => entry.shadow),
    limits,
    reputation,
    decision,
  }
}
