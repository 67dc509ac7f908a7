import { type Entry, type EntryStore, ipSet } from '@ipguard/core'
import { type Announcer, PER_MESSAGE, putEntries } from './announcer.ts'
import { type Connection, runScript, sendNow } from './connection.ts'
import type { EntryFeed } from './entry-feed.ts'
import { CLEAR_CLIENTS, PUT_OWN_BANS, REMOVE_ENTRIES } from './entry-scripts.ts'
import { banField } from './hit-spec.ts'
import type { Keys } from './keys.ts'
import { type Script, timeArgument } from './script.ts'
import { slotOf } from './slot-of.ts'
import { parseEntry, renderOwnBan } from './stored-entry.ts'

export interface RedisEntriesOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly clock: { now(): number } | undefined
  readonly time: () => number
  readonly feed: EntryFeed
  readonly announcer: Announcer
}

/** Entries in a page of `load`: some ms of parsing. */
const PAGE = 500

/** The registry of entries, and each ban's double in its client's own hash, where hits meet it. */
export function createRedisEntries({
  connection,
  keys,
  clock,
  time,
  feed,
  announcer,
}: RedisEntriesOptions): EntryStore {
  const { all, ends, log, meta, gone, struck } = keys.registry

  /** Runs a script over many hashes of clients: in pieces, and on a cluster in one for each slot. */
  async function overClients(
    script: Script,
    head: readonly string[],
    items: readonly { readonly key: string; readonly args: readonly string[] }[],
  ): Promise<void> {
    const groups = new Map<number, (typeof items)[number][]>()
    for (const [i, item] of items.entries()) {
      const group = connection.cluster ? slotOf(item.key) : Math.floor(i / PER_MESSAGE)
      groups.set(group, [...(groups.get(group) ?? []), item])
    }
    const run = (group: typeof items): Promise<unknown> =>
      runScript(
        connection,
        script,
        group.map(({ key }) => key),
        [...head, ...group.flatMap(({ args }) => args)],
      )
    const batches = [...groups.values()]
    // So many at once, so that nothing piles up in the client.
    for (let i = 0; i < batches.length; i += 20) await Promise.all(batches.slice(i, i + 20).map(run))
  }

  /** The time that scripts are given. */
  const given = (): string => timeArgument(clock)

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

  async function* load(): AsyncGenerator<readonly Entry[]> {
    await announcer.flush()
    await feed.started()
    // A scan may meet the same field twice.
    const seen = new Set<string>()
    for await (const items of scan('HSCAN', all)) {
      const page: Entry[] = []
      for (let i = 0; i < items.length; i += 2) {
        const id = items[i] as string // pairs
        if (seen.has(id)) continue
        seen.add(id)
        const entry = parseEntry(items[i + 1] as string)
        if (isLive(entry)) page.push(entry)
      }
      for (let i = 0; i < page.length; i += PAGE) yield page.slice(i, i + PAGE)
    }
  }

  function isLive({ expiresAt }: Entry): boolean {
    return expiresAt === undefined || expiresAt > time()
  }

  /** Clears the strikes of all clients inside the prefix. */
  async function forgive(cidr: string): Promise<void> {
    const inside = ipSet([cidr])
    const own = keys.ofPrefix(cidr)
    const found = new Set<string>()
    for await (const items of scan('ZSCAN', struck)) {
      for (let i = 0; i < items.length; i += 2) {
        const client = items[i] as string // pairs
        if (inside.has(client.split('/', 1)[0] ?? '')) found.add(client)
      }
    }
    const hashes = new Set([...found].map((client) => keys.client(client)))
    if (own !== undefined) hashes.add(own)
    await overClients(
      CLEAR_CLIENTS,
      [given()],
      [...hashes].map((key) => ({ key, args: ['s'] })),
    )
    if (found.size > 0) await sendNow(connection, struck, ['ZREM', struck, ...found])
  }

  return {
    load,
    async put(entries) {
      await announcer.flush()
      const own = entries.flatMap((entry) => {
        const key = entry.kind === 'ban' ? keys.ofPrefix(entry.cidr) : undefined
        return key === undefined ? [] : [{ key, args: [banField(scopeOf(entry.id)), renderOwnBan(entry)] }]
      })
      // First where it refuses, then where it is found.
      await overClients(PUT_OWN_BANS, [given()], own)
      for (let i = 0; i < entries.length; i += PER_MESSAGE)
        await putEntries(connection, keys, clock, entries.slice(i, i + PER_MESSAGE))
      // What the caller knows from now on must not be undone by an older change that is still on its way.
      await feed.catchUp()
    },
    async remove(ids, { forgive: cidr } = {}) {
      await announcer.flush()
      const own = ids.flatMap((id) => {
        const scope = scopeOf(id)
        const key = scope.startsWith('ban') ? keys.ofPrefix(id.slice(scope.length + 1)) : undefined
        return key === undefined ? [] : [{ key, args: [banField(scope)] }]
      })
      await overClients(CLEAR_CLIENTS, [given()], own)
      if (cidr !== undefined) await forgive(cidr)
      for (let i = 0; i < ids.length; i += PER_MESSAGE)
        await runScript(
          connection,
          REMOVE_ENTRIES,
          [all, ends, log, meta, gone],
          [given(), crypto.randomUUID(), keys.channel, ...ids.slice(i, i + PER_MESSAGE)],
        )
      await feed.catchUp()
    },
    async find(ids) {
      if (ids.length === 0) return []
      const held = (await sendNow(connection, all, ['HMGET', all, ...ids])) as readonly (string | null)[] // Redis documentation
      return held.flatMap((text) => (text === null ? [] : [parseEntry(text)])).filter(isLive)
    },
    watch: (listener) => feed.watch(listener),
  }
}

/** An id is the scope, a space and the prefix, see `createEntry` in core. */
function scopeOf(id: string): string {
  return id.slice(0, id.lastIndexOf(' '))
}
