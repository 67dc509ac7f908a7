import { createIdSet, type Entry, type EntryStore, IpGuardError, ipSet } from '@ipguard/core'
import { type Announcer, PER_MESSAGE, putEntries, removeEntries } from './announcer.ts'
import { type Connection, sendNow } from './connection.ts'
import type { EntryFeed } from './entry-feed.ts'
import type { Keys } from './keys.ts'
import type { OwnBans } from './own-bans.ts'
import { createEntryParser, parseEntry } from './stored-entry.ts'

export interface RedisEntriesOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly ownBans: OwnBans
  readonly clock: { now(): number } | undefined
  readonly time: () => number
  readonly feed: EntryFeed
  readonly announcer: Announcer
}

/** Entries in a page of `load`. In a process that has just started one of 500 took up to 16 ms of one turn of the event loop. */
const PAGE = 250

/** The registry of entries, and each ban's double in its client's own key, where hits meet it. */
export function createRedisEntries({
  connection,
  keys,
  ownBans,
  clock,
  time,
  feed,
  announcer,
}: RedisEntriesOptions): EntryStore {
  const { all, struck } = keys.registry

  async function* scan(command: 'HSCAN' | 'ZSCAN', key: string): AsyncGenerator<readonly string[]> {
    let cursor = '0'
    do {
      const [next, items] = (await sendNow(connection, key, [command, key, cursor, 'COUNT', String(PAGE)])) as [
        string,
        readonly string[],
      ] // Redis documentation, SCAN
      cursor = next
      yield items
    } while (cursor !== '0')
  }

  /** Who watches already is to hear of what comes now, and what was heard of before comes first. */
  async function begin(): Promise<void> {
    await feed.started()
    await announcer.flush()
  }

  async function* load(): AsyncGenerator<readonly Entry[]> {
    await begin()
    const losses = feed.losses()
    // A scan may meet the same field twice.
    const seen = createIdSet()
    const parse = createEntryParser()
    for await (const items of scan('HSCAN', all)) {
      const page: Entry[] = []
      for (let i = 0; i < items.length; i += 2) {
        const id = items[i] as string // pairs
        if (!seen.add(id)) continue
        const entry = parse(items[i + 1] as string)
        if (isLive(entry)) page.push(entry)
      }
      for (let i = 0; i < page.length; i += PAGE) yield page.slice(i, i + PAGE)
    }
    await feed.catchUp()
    if (feed.losses() !== losses)
      throw new IpGuardError('IPGUARD_STORE_FAILED', 'Redis lost its entries while they were loaded.')
  }

  function isLive({ expiresAt }: Entry): boolean {
    return expiresAt === undefined || expiresAt > time()
  }

  /**
   * Clears the strikes of all clients inside the prefix, and their bans that nobody can name: one by a ladder may not be listed yet, and never
   * is when its process has ended before. Answers the ids of these.
   */
  async function forgive(cidr: string): Promise<readonly string[]> {
    const inside = ipSet([cidr])
    const found = new Set<string>()
    for await (const items of scan('ZSCAN', struck)) {
      for (let i = 0; i < items.length; i += 2) {
        const client = items[i] as string // pairs
        if (inside.has(client.split('/', 1)[0] ?? '')) found.add(client)
      }
    }
    const own = keys.clientOf(cidr)
    const unlisted = new Set(await ownBans.forgive([...new Set(own === undefined ? found : [...found, own])]))
    for (const { id } of await heldOf([...unlisted])) unlisted.delete(id)
    await ownBans.remove([...unlisted])
    if (found.size > 0) await sendNow(connection, struck, ['ZREM', struck, ...found])
    return [...unlisted]
  }

  async function heldOf(ids: readonly string[]): Promise<readonly Entry[]> {
    if (ids.length === 0) return []
    const held = (await sendNow(connection, all, ['HMGET', all, ...ids])) as readonly (string | null)[] // Redis documentation
    return held.flatMap((text) => (text === null ? [] : [parseEntry(text)]))
  }

  /** Answers the ids of those that may not be given back. */
  async function list(entries: readonly Entry[], again = false): Promise<Set<string>> {
    const refused = new Set<string>()
    for (let i = 0; i < entries.length; i += PER_MESSAGE)
      for (const id of await putEntries(connection, keys, clock, entries.slice(i, i + PER_MESSAGE), again))
        refused.add(id)
    return refused
  }

  /** The registry knows what was removed since, so it is asked before the bans stand with their clients again, and after. */
  async function giveBack(entries: readonly Entry[]): Promise<void> {
    const refused = await list(entries, true)
    const kept = entries.filter(({ id }) => !refused.has(id))
    await ownBans.put(kept)
    const removed = await list(kept, true)
    // One that was made anew stands with its client.
    for (const { id } of await heldOf([...removed])) removed.delete(id)
    await ownBans.remove([...removed])
  }

  return {
    load,
    async put(entries, { again = false } = {}) {
      await begin()
      if (again) await giveBack(entries)
      else {
        // First where it refuses, then where it is found.
        await ownBans.put(entries)
        await list(entries)
      }
      // What the caller knows from now on must not be undone by an older change that is still on its way.
      await feed.catchUp()
    },
    async remove(ids, { forgive: cidr } = {}) {
      await begin()
      await ownBans.remove(ids)
      const unlisted = cidr === undefined ? [] : await forgive(cidr)
      const all = [...new Set([...ids, ...unlisted])]
      for (let i = 0; i < all.length; i += PER_MESSAGE)
        await removeEntries(
          connection,
          keys,
          clock,
          all.slice(i, i + PER_MESSAGE).map((id) => [id, '']),
        )
      await feed.catchUp()
    },
    async find(ids) {
      return (await heldOf(ids)).filter(isLive)
    },
    async sync() {
      await announcer.flush()
      await feed.catchUp()
    },
    watch: (listener) => feed.watch(listener),
  }
}
