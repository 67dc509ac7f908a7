import type { Entry, Hit } from '@ipguard/core'
import { type Connection, runScript } from './connection.ts'
import { ADD_STRUCK, PUT_ENTRIES, REMOVE_ENTRIES } from './entry-scripts.ts'
import type { StoredReply } from './hit-reply.ts'
import type { Keys } from './keys.ts'
import type { OwnBans } from './own-bans.ts'
import { timeArgument } from './script.ts'
import { renderEntry } from './stored-entry.ts'

/** Takes what hits brought about into the registry, which is on another node than most clients. */
export interface Announcer {
  heard(hits: readonly Hit[], replies: readonly StoredReply[]): void
  /** Resolves when all that was heard is in the registry; rejects when it could not be written, and then it stays to be written later. */
  flush(): Promise<void>
  /** The registry has lost what was written. */
  forget(): void
}

export interface AnnouncerOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly ownBans: OwnBans
  readonly clock: { now(): number } | undefined
  readonly time: () => number
  readonly onChange: () => void
  /** Resolves when those who watch hear of what is written from now on. */
  readonly started: () => Promise<void>
}

/** What waits while Redis is away is bounded; a ban that is dropped here still stands with its client, and is announced when that is met. */
const MOST = 10_000
/** Entries in one message of the log. */
export const PER_MESSAGE = 50

/**
 * The count, the strikes and the ban of a client are written in one step. That a client has them is announced after it: later, more than
 * once if need be, and with the same result.
 */
export function createAnnouncer({
  connection,
  keys,
  ownBans,
  clock,
  time,
  onChange,
  started,
}: AnnouncerOptions): Announcer {
  const bans = new Map<string, Entry>()
  const struck = new Map<string, number>()
  /** Bans that are in the registry, by id with their end: a client that is met again is not announced again. */
  const done = new Map<string, number | undefined>()
  let running: Promise<void> | undefined

  function keep<T>(map: Map<string, T>, key: string, value: T): void {
    map.set(key, value)
    const [oldest] = map.size > MOST ? map.keys() : []
    if (oldest !== undefined) map.delete(oldest)
  }

  /**
   * A ban that was met may have been removed since, by another process: what stands with the client decides. It is asked again afterwards,
   * because a removal may come in between; who removes clears the client first.
   */
  async function putStanding(some: readonly Entry[]): Promise<void> {
    const standing = await ownBans.standing(some)
    if (standing.length === 0) return
    await putEntries(connection, keys, clock, standing)
    const still = new Set(await ownBans.standing(standing))
    const removed = standing.filter((ban) => !still.has(ban))
    if (removed.length > 0)
      await removeEntries(
        connection,
        keys,
        clock,
        removed.map(({ id, expiresAt = 0 }) => [id, String(expiresAt)]),
      )
  }

  async function write(): Promise<void> {
    await started()
    while (bans.size > 0 || struck.size > 0) {
      const some = [...bans.values()].slice(0, PER_MESSAGE)
      const clients = [...struck].slice(0, PER_MESSAGE)
      if (some.length > 0) {
        await putStanding(some)
        // One that was heard of meanwhile under the same id stays.
        for (const ban of some) {
          keep(done, ban.id, ban.expiresAt)
          if (bans.get(ban.id) === ban) bans.delete(ban.id)
        }
        onChange()
      }
      if (clients.length > 0) {
        await runScript(
          connection,
          ADD_STRUCK,
          [keys.registry.struck],
          [String(time()), ...clients.flatMap(([client, until]) => [String(until), client])],
        )
        for (const [client, until] of clients) if (struck.get(client) === until) struck.delete(client)
      }
    }
  }

  async function flush(): Promise<void> {
    if (bans.size === 0 && struck.size === 0) return running
    running ??= write().finally(() => {
      running = undefined
    })
    return running
  }

  function isDone({ id, expiresAt }: Entry): boolean {
    return done.has(id) && done.get(id) === expiresAt
  }

  return {
    flush,
    forget: () => done.clear(),
    heard(hits, replies) {
      for (let i = 0; i < replies.length; i++) {
        const { strikes, banned, ban } = replies[i] as StoredReply // inside, and one to each hit
        if (strikes === undefined && ban === undefined) continue
        const { counter, key } = hits[i] as Hit
        // Of several ladders the one that remembers longest.
        const until = Math.max(time() + (counter.ladder?.decay ?? 0), struck.get(key.text) ?? 0)
        if (strikes) keep(struck, key.text, until)
        const made = banned ?? ban
        if (banned) done.delete(banned.id)
        if (made && isLater(made, bans.get(made.id)) && !isDone(made)) keep(bans, made.id, made)
        setImmediate(() => void flush().catch(() => {}))
      }
    },
  }
}

/**
 * Up to `PER_MESSAGE` entries into the registry. `again`: a copy gives back what it held; answers the ids of those that something later has
 * made void, which are left out.
 */
export async function putEntries(
  connection: Connection,
  { registry, channel }: Keys,
  clock: { now(): number } | undefined,
  entries: readonly Entry[],
  again = false,
): Promise<readonly string[]> {
  const reply = await runScript(
    connection,
    PUT_ENTRIES,
    [registry.all, registry.ends, registry.gone, registry.log, registry.meta],
    [
      timeArgument(clock),
      crypto.randomUUID(),
      channel,
      again ? '1' : '',
      ...entries.flatMap((entry) => [entry.id, renderEntry(entry), entry.kind === 'ban' ? '1' : '0']),
    ],
  )
  return reply as readonly string[] // as the script says
}

/** Up to `PER_MESSAGE` entries out of the registry: the id of each, and its end when only that one is meant. */
export async function removeEntries(
  connection: Connection,
  { registry, channel }: Keys,
  clock: { now(): number } | undefined,
  entries: readonly (readonly [id: string, end: string])[],
): Promise<void> {
  await runScript(
    connection,
    REMOVE_ENTRIES,
    [registry.all, registry.ends, registry.gone, registry.log, registry.meta],
    [timeArgument(clock), crypto.randomUUID(), channel, ...entries.flat()],
  )
}

function isLater({ expiresAt = Number.POSITIVE_INFINITY }: Entry, than: Entry | undefined): boolean {
  return than === undefined || expiresAt > (than.expiresAt ?? Number.POSITIVE_INFINITY)
}
