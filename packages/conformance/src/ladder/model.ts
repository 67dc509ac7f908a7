import type { Algorithm } from '@ipguard/core'

/*
 * The plain reference: every request and strike in an array, nothing forgotten, nothing clever. Written from the documented semantics and
 * without a look at any store, so that a store that agrees with it on random histories is right, not alike.
 */

/** One thing that was admitted. */
interface Admitted {
  readonly at: number
  cost: number
}

/** The three algorithms over an exact log. */
export interface ReferenceMeter {
  /** How much counts at `now`. */
  used(now: number): number
  admit(now: number, cost: number): void
  /** Gives back what was admitted at `at`. */
  refund(now: number, at: number, cost: number): void
  /** The first ms at which `cost` passes; undefined where the model does not say. */
  passesAt(now: number, cost: number): number | undefined
  clear(): void
}

/** The limit that the plain model counts, its window in milliseconds. */
export interface ReferenceMeterOptions {
  readonly algorithm: Algorithm
  readonly limit: number
  readonly window: number
}

/** A rate limit written for the eye instead of speed: it remembers every admitted request. What stores count is held against it. */
export function createReferenceMeter({ algorithm, limit, window }: ReferenceMeterOptions): ReferenceMeter {
  let log: Admitted[] = []
  // A tenth of a window for the strict window, a window for the fixed one; what counts is told by whole ones.
  const unit = algorithm === 'fixed-window' ? window : window / 10
  const reach = algorithm === 'fixed-window' ? 1 : 11
  const unitOf = (time: number): number => Math.floor(time / unit)

  function leaking(now: number): number {
    let level = 0
    let then = 0
    for (const { at, cost } of log) {
      level = Math.max(0, level - ((at - then) * limit) / window) + cost
      then = at
    }
    return Math.max(0, level - ((now - then) * limit) / window)
  }

  function used(now: number): number {
    if (algorithm === 'token-bucket') return leaking(now)
    return log.filter(({ at }) => unitOf(now) - unitOf(at) < reach).reduce((sum, { cost }) => sum + cost, 0)
  }

  return {
    used,
    admit: (at, cost) => void log.push({ at, cost }),
    refund(now, at, cost) {
      if (unitOf(now) - unitOf(at) >= reach) return
      const found = log.find((each) => each.at === at && each.cost >= cost)
      if (found) found.cost -= cost
    },
    passesAt(now, cost) {
      if (algorithm === 'token-bucket' || cost > limit) return undefined
      const ends = log.map(({ at }) => Math.ceil((unitOf(at) + reach) * unit)).filter((end) => end > now)
      return [now, ...ends.sort((x, y) => x - y)].find((time) => used(time) + cost <= limit)
    },
    clear() {
      log = []
    },
  }
}

/** The ladder that the plain model follows, in milliseconds. */
export interface ReferenceLadderOptions extends ReferenceMeterOptions {
  readonly tiers: readonly {
    readonly name: string
    readonly ban: number
    readonly after: number
    readonly within: number
  }[]
  readonly decay: number
}

/** What the guard must say; times in epoch ms. */
export interface ReferenceAnswer {
  readonly action: 'allow' | 'limit' | 'deny'
  /** Until when; undefined when admitted, or where the model does not say. */
  readonly until?: number
  readonly tier?: string
}

interface ReferenceClient {
  readonly meter: ReferenceMeter
  strikes: number[]
  /** When the limit itself struck last. */
  refusedAt: number
  ban: { readonly end: number; readonly tier?: string } | undefined
}

/** A limit with a ladder, client by client. */
export interface ReferenceLadder {
  request(client: string, now: number): ReferenceAnswer
  /** A strike by the application; answers the end of the ban that it brings about. */
  strike(client: string, now: number): number | undefined
  ban(client: string, now: number, length: number): void
  unban(client: string): void
  strikes(client: string, now: number): number
}

/** A ladder of bans over `createReferenceMeter`, for one policy and any clients. What guards decide is held against it. */
export function createReferenceLadder(options: ReferenceLadderOptions): ReferenceLadder {
  const { limit, window, tiers, decay } = options
  const clients = new Map<string, ReferenceClient>()

  function clientOf(name: string): ReferenceClient {
    const known = clients.get(name)
    if (known) return known
    const fresh = {
      meter: createReferenceMeter(options),
      strikes: [],
      refusedAt: Number.NEGATIVE_INFINITY,
      ban: undefined,
    }
    clients.set(name, fresh)
    return fresh
  }

  function banOf({ ban }: ReferenceClient, now: number): ReferenceClient['ban'] {
    return ban && ban.end > now ? ban : undefined
  }

  function climb(client: ReferenceClient, now: number): ReferenceClient['ban'] {
    client.strikes.push(now)
    const reached = tiers.findLast(
      ({ after, within }) => client.strikes.filter((at) => now - at < within).length >= after,
    )
    if (!reached) return undefined
    client.ban = { end: now + reached.ban, tier: reached.name }
    client.meter.clear()
    return client.ban
  }

  return {
    request(name, now) {
      const client = clientOf(name)
      const standing = banOf(client, now)
      if (standing) return { action: 'deny', until: standing.end, ...(standing.tier && { tier: standing.tier }) }
      if (client.meter.used(now) + 1 <= limit) {
        client.meter.admit(now, 1)
        return { action: 'allow' }
      }
      const passes = client.meter.passesAt(now, 1)
      if (now - client.refusedAt >= window) {
        client.refusedAt = now
        const ban = climb(client, now)
        if (ban) return { action: 'limit', until: ban.end, ...(ban.tier && { tier: ban.tier }) }
      }
      return { action: 'limit', ...(passes !== undefined && { until: passes }) }
    },
    strike(name, now) {
      const client = clientOf(name)
      return banOf(client, now) ? undefined : climb(client, now)?.end
    },
    ban(name, now, length) {
      const client = clientOf(name)
      if ((banOf(client, now)?.end ?? 0) < now + length) client.ban = { end: now + length }
    },
    unban(name) {
      const client = clientOf(name)
      client.ban = undefined
      client.strikes = []
      client.refusedAt = Number.NEGATIVE_INFINITY
    },
    strikes(name, now) {
      // More than the highest tier asks for are not told apart.
      const most = tiers.at(-1)?.after ?? 1
      return Math.min(most, clientOf(name).strikes.filter((at) => now - at < decay).length)
    },
  }
}
