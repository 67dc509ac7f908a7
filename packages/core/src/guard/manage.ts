import { type Duration, parseDuration } from '../duration.ts'
import { describe, IpGuardError } from '../errors.ts'
import { type Address, parseAddress } from '../ip/address.ts'
import { type IpSet, ipSet } from '../ip/ip-set.ts'
import { formatPrefix, maskAddress, type Prefix, parsePrefix, prefixContains } from '../ip/prefix.ts'
import { checkChoice, checkOneOf, checkOptions, invalidOption } from '../options.ts'
import { createEntry, type Entry, laterFirst, latestEnd, withoutPlace } from '../store/entry.ts'
import { parentLength } from '../store/entry-table.ts'
import type { Ladder } from '../store/ladder.ts'
import type { Store } from '../store/store.ts'
import type { EventHub } from './events.ts'
import type { MetricsBook } from './metrics.ts'
import type { Replica } from './replica.ts'

/** How long `guard.allow` and `guard.deny` hold and why. */
export interface EntryOptions {
  /** How long: a duration or `'permanent'`. */
  readonly for?: Duration | 'permanent'
  /** Up to 200 characters, for people; never sent to a client. */
  readonly reason?: string
}

/** How long `guard.ban` bans and why. */
export interface BanOptions extends EntryOptions {
  readonly for: Duration | 'permanent'
  /** Bans an address that an allow list lets in: the ban then waits until it is off that list. @default false */
  readonly force?: boolean
}

/** Which entries `guard.entries` answers; absent: all. */
export interface EntryFilter {
  readonly kind?: 'allow' | 'deny' | 'ban'
  /** Entries that cover this address, or lie in or around this prefix. */
  readonly ip?: string
  readonly shadow?: boolean
}

/** What a person or a program does to the managed entries. */
export interface Manager {
  /**
   * Bans an address or prefix on every instance that shares the store; a bare IPv6 address stands for its client's prefix. Answers the ban that
   * holds now, which may be a longer one that stood before.
   *
   * @example
   * await guard.ban('203.0.113.7', { for: '24h', reason: 'scraping' })
   * @throws {IpGuardError} rejects with `IPGUARD_BAN_ALLOWED` where an allow list lets it in, unless `force`; `IPGUARD_ADDRESS_INVALID`,
   * `IPGUARD_CIDR_INVALID`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`, `IPGUARD_STORE_MISSING`
   */
  ban(target: string, options: BanOptions): Promise<Entry>
  /** Ends all bans inside, and forgets the strikes of the clients in it. Answers the bans that still cover it, the one that ends last first. */
  unban(target: string): Promise<readonly Entry[]>
  /** Lets an address or prefix in, whatever bans and lists say, on every instance; exactly the address that is written. */
  allow(target: string, options?: EntryOptions): Promise<Entry>
  /** Refuses an address or prefix, on every instance, where no allow list lets it in. */
  deny(target: string, options?: EntryOptions): Promise<Entry>
  /** Takes off what `allow` or `deny` of exactly this target has put; false: there was nothing. */
  remove(target: string, options: { readonly kind: 'allow' | 'deny' }): Promise<boolean>
  /** The bans, allow and deny entries that this instance knows. */
  entries(filter?: EntryFilter): readonly Entry[]
  /** `shadow`: from now on every instance lets everybody in, and decisions say what would have been. Kept in the store. */
  setMode(mode: 'enforce' | 'shadow'): Promise<void>
  /** After a ban by a ladder: the wider prefix is banned when enough siblings are. */
  widen(ban: Entry, ladder: Ladder): Promise<void>
}

export interface ManagerOptions {
  readonly store: Store | undefined
  readonly replica: Replica
  readonly hub: EventHub
  readonly metrics: MetricsBook
  readonly clock: { now(): number }
  readonly ipv6Prefix: number
  /** The allow policies' lists as they are now. */
  readonly allowLists: readonly (() => IpSet)[]
}

export function createManager({
  store,
  replica,
  hub,
  metrics,
  clock,
  ipv6Prefix,
  allowLists,
}: ManagerOptions): Manager {
  function needStore(call: string): Store {
    if (!store)
      throw new IpGuardError(
        'IPGUARD_STORE_MISSING',
        `guard.${call} needs a store. Write createGuard({ store: memoryStore() }), with memoryStore from @ipguard/store-memory.`,
      )
    return store
  }

  async function ready(): Promise<void> {
    await replica.ready()
    // What another instance did a moment ago counts: the copy may not have heard of it.
    await store?.entries.sync?.()
  }

  async function put(call: string, entry: Entry): Promise<Entry> {
    const { entries } = needStore(call)
    await ready()
    await entries.put([entry])
    // The store may have kept a longer ban, or merged it with its siblings.
    replica.adopt(entry, clock.now())
    return covering(parsePrefix(entry.cidr)).find((each) => each.kind === entry.kind) ?? entry
  }

  /** Of all entries: the store is asked while the copy is not there, and when it had no room for some. */
  async function select(test: (entry: Entry) => boolean): Promise<Entry[]> {
    if (!store || (replica.loaded() && replica.leftOut.size === 0))
      return [...replica.table.list(clock.now())].filter(test)
    const found: Entry[] = []
    for await (const page of store.entries.load()) found.push(...page.filter(test))
    return found
  }

  function covering(prefix: Prefix): Entry[] {
    return [...replica.table.list(clock.now())]
      .filter((entry) => entry.kind !== 'mode' && covers(parsePrefix(entry.cidr), prefix))
      .sort(laterFirst)
  }

  /** A bare IPv6 address stands for its client's whole prefix: who holds one address holds them all. */
  function banned(target: string, call: string): Prefix {
    const prefix = parseTarget(target, call)
    const whole =
      prefix.address.family === 6 && !target.includes('/') && prefix.length > ipv6Prefix && !isAlone(prefix.address)
    return whole ? { address: maskAddress(prefix.address, ipv6Prefix), length: ipv6Prefix } : prefix
  }

  function checkAllowed(prefix: Prefix, target: string): void {
    const set = ipSet([formatPrefix(prefix)])
    const entry = [...replica.table.list(clock.now())].find(
      (each) => each.kind === 'allow' && isAround(parsePrefix(each.cidr), prefix),
    )
    const overlap = entry?.cidr ?? allowLists.map((list) => list().overlaps(set)).find((cidr) => cidr !== undefined)
    if (overlap !== undefined) {
      throw new IpGuardError(
        'IPGUARD_BAN_ALLOWED',
        `guard.ban(${describe(target)}) has no effect on ${overlap}, which an allow list lets in. Take it off that list, or write { force: true }.`,
      )
    }
  }

  function fields(
    options: EntryOptions,
    call: string,
    known: readonly string[],
  ): Pick<Entry, 'createdAt' | 'by' | 'reason' | 'expiresAt'> {
    checkOptions(options, known, call)
    const { reason } = options
    if (reason !== undefined && (typeof reason !== 'string' || reason.length > 200))
      throw invalidOption(`${call}: reason`, reason, 'up to 200 characters')
    const now = clock.now()
    const length = options.for
    // Only a ban must say how long.
    if (length === Number.POSITIVE_INFINITY || (length === undefined && known.includes('force')))
      throw invalidOption(`${call}: for`, length, "a duration like '24h', or 'permanent'")
    return {
      createdAt: now,
      by: 'manual',
      ...(length !== undefined && length !== 'permanent' && { expiresAt: now + parseDuration(length, `${call}: for`) }),
      ...(reason !== undefined && { reason }),
    }
  }

  async function enter(kind: 'allow' | 'deny', target: string, options: EntryOptions): Promise<Entry> {
    const call = `guard.${kind}`
    const prefix = parseTarget(target, call)
    return put(kind, createEntry(prefix, { kind, ...fields(options, call, ['for', 'reason']) }))
  }

  return {
    async ban(target, options) {
      const entry = createEntry(banned(target, 'guard.ban'), {
        kind: 'ban',
        ...fields(options, 'guard.ban', ['for', 'reason', 'force']),
      })
      await ready()
      if (!options.force) checkAllowed(parsePrefix(entry.cidr), target)
      const kept = await put('ban', entry)
      metrics.add('bans')
      hub.emit('ban', kept)
      return kept
    },
    async unban(target) {
      const prefix = banned(target, 'guard.unban')
      const { entries } = needStore('unban')
      await ready()
      const bans = await select((entry) => entry.kind === 'ban' && isAround(prefix, parsePrefix(entry.cidr)))
      const inside = bans.filter(({ cidr }) => covers(prefix, parsePrefix(cidr)))
      const ids = inside.map((entry) => entry.id)
      await entries.remove(ids, { forgive: formatPrefix(prefix) })
      replica.apply({ removed: ids }, clock.now())
      for (const entry of inside) {
        metrics.add('unbans')
        hub.emit('unban', entry)
      }
      return bans.filter(({ cidr }) => !covers(prefix, parsePrefix(cidr))).sort(laterFirst)
    },
    allow: (target, options = {}) => enter('allow', target, options),
    deny: (target, options = {}) => enter('deny', target, options),
    async remove(target, options) {
      const kind = options?.kind // absent in a call from JavaScript
      checkOneOf('guard.remove: { kind }', kind, ['allow', 'deny'])
      const prefix = parseTarget(target, 'guard.remove')
      const { entries } = needStore('remove')
      await ready()
      const entry = replica.table.exact(kind, prefix.address, prefix.length, clock.now())
      if (!entry) return false
      await entries.remove([entry.id])
      replica.apply({ removed: [entry.id] }, clock.now())
      return true
    },
    entries(filter = {}) {
      checkOptions(filter, ['kind', 'ip', 'shadow'], 'guard.entries')
      checkChoice('guard.entries: { kind }', filter.kind, ['allow', 'deny', 'ban'])
      const now = clock.now()
      void replica.ready()
      const around = filter.ip === undefined ? undefined : parseTarget(filter.ip, 'guard.entries: ip')
      return [...replica.table.list(now)].filter((entry) => {
        if (entry.kind === 'mode' || (filter.kind && entry.kind !== filter.kind)) return false
        if (filter.shadow !== undefined && (entry.shadow ?? false) !== filter.shadow) return false
        const prefix = parsePrefix(entry.cidr)
        return !around || isAround(prefix, around)
      })
    },
    async setMode(mode) {
      checkOneOf('guard.setMode', mode, ['enforce', 'shadow'])
      const entry = createEntry(parsePrefix('::/0'), { kind: 'mode', mode, createdAt: clock.now(), by: 'manual' })
      await ready()
      await store?.entries.put([entry])
      replica.apply({ put: [entry] }, clock.now())
    },
    async widen(ban, ladder) {
      if (!store) return
      let latest = ban
      for (;;) {
        const now = clock.now()
        const { address, length } = parsePrefix(latest.cidr)
        const parent = parentLength(address.family, length, ladder.widenIpv4)
        if (parent === 0) return
        const group = replica.table.siblings(latest, now)
        if (group.length < ladder.widen) return
        const wider = createEntry(
          { address, length: parent },
          { ...withoutPlace(latest), createdAt: now, ...latestEnd(group) },
        )
        const ids = group.map((entry) => entry.id)
        // The wider one first: there is no moment without a ban.
        await store.entries.put([wider])
        replica.apply({ put: [wider] }, now)
        await store.entries.remove(ids)
        replica.apply({ removed: ids }, now)
        hub.emit('ban', wider)
        latest = wider
      }
    },
  }
}

/** Whether the first prefix holds all of the second. */
function covers(outer: Prefix, inner: Prefix): boolean {
  return outer.length <= inner.length && prefixContains(outer, inner.address)
}

/** Whether one of the two holds all of the other. */
function isAround(x: Prefix, y: Prefix): boolean {
  return covers(x, y) || covers(y, x)
}

/** `::1` and link-local addresses have no neighbours of the same subscriber. */
function isAlone({ a }: Address): boolean {
  return a === 0 || a >>> 22 === 0x3fa
}

function parseTarget(target: string, call: string): Prefix {
  if (typeof target === 'string' && !target.includes('/')) {
    const address = parseAddress(target)
    if (!address)
      throw new IpGuardError(
        'IPGUARD_ADDRESS_INVALID',
        `${call}: ${describe(target)} is no address. Write '203.0.113.7', '2001:db8::1' or a prefix like '2001:db8::/56'.`,
      )
    return { address, length: address.family === 4 ? 32 : 128 }
  }
  return parsePrefix(target, call)
}
