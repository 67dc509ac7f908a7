import type { Entry } from '@ipguard/core'
import { type Connection, runScript } from './connection.ts'
import { CLEAR_CLIENTS, PUT_OWN_BANS, READ_OWN_BANS } from './entry-scripts.ts'
import { banField } from './hit-spec.ts'
import type { Keys } from './keys.ts'
import { type Script, timeArgument } from './script.ts'
import { slotOf } from './slot-of.ts'
import { parseOwnBan, renderOwnBan } from './stored-entry.ts'

/** The bans and strikes that stand with the clients themselves, where hits meet them. */
export interface OwnBans {
  put(entries: readonly Entry[]): Promise<void>
  remove(ids: readonly string[]): Promise<void>
  /** Clears the strikes of these clients, by their prefixes; answers the ids of the bans that stand with them. */
  forgive(clients: readonly string[]): Promise<readonly string[]>
  /** Those of these bans that still stand with their client as they are. */
  standing(bans: readonly Entry[]): Promise<readonly Entry[]>
}

export interface OwnBansOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly clock: { now(): number } | undefined
}

/** What a script does to one client. */
interface Item {
  readonly key: string
  readonly args: readonly string[]
}

/** Clients in one call, and calls at once: nothing piles up in the client or stops the server for long. */
const PER_CALL = 50
const CALLS = 20

export function createOwnBans({ connection, keys, clock }: OwnBansOptions): OwnBans {
  /** Runs a script over many clients: in pieces, and on a cluster in one for each slot. Answers what it answers for each. */
  async function over(script: Script, items: readonly Item[]): Promise<readonly unknown[]> {
    const groups = new Map<number, number[]>()
    for (const [i, { key }] of items.entries()) {
      const group = connection.cluster ? slotOf(key) : Math.floor(i / PER_CALL)
      const places = groups.get(group)
      if (places) places.push(i)
      else groups.set(group, [i])
    }
    const answers: unknown[] = []
    async function run(places: readonly number[]): Promise<void> {
      const group = places.map((place) => items[place] as Item) // places are of items
      const names = group.map(({ key }) => key)
      const reply = await runScript(connection, script, names, [
        timeArgument(clock),
        ...group.flatMap(({ args }) => args),
      ])
      for (const [i, place] of places.entries()) answers[place] = (reply as readonly unknown[])[i] // one for each key
    }
    const calls = [...groups.values()]
    for (let i = 0; i < calls.length; i += CALLS) await Promise.all(calls.slice(i, i + CALLS).map(run))
    return answers
  }

  function itemOf(id: string, args: (field: string) => readonly string[]): Item[] {
    const [scope, cidr] = splitId(id)
    const key = scope.startsWith('ban') ? keys.ofPrefix(cidr) : undefined
    return key === undefined ? [] : [{ key, args: args(banField(scope)) }]
  }

  return {
    async put(entries) {
      await over(
        PUT_OWN_BANS,
        entries.flatMap((entry) => itemOf(entry.id, (field) => [field, renderOwnBan(entry)])),
      )
    },
    async remove(ids) {
      await over(
        CLEAR_CLIENTS,
        ids.flatMap((id) => itemOf(id, (field) => [field])),
      )
    },
    async forgive(clients) {
      const bans = (await over(
        CLEAR_CLIENTS,
        clients.map((client) => ({ key: keys.client(client), args: ['s'] })),
      )) as readonly (readonly string[])[] // as the script says
      return bans.flatMap((texts, i) => texts.map((text) => parseOwnBan(text, clients[i] ?? '').id))
    },
    async standing(bans) {
      const asked = bans.flatMap((ban) => itemOf(ban.id, (field) => [field]).map((item) => ({ ban, item })))
      const ends = await over(
        READ_OWN_BANS,
        asked.map(({ item }) => item),
      )
      return asked.flatMap(({ ban }, i) => (Number(ends[i]) === (ban.expiresAt ?? 0) ? [ban] : []))
    },
  }
}

/** An id is the scope, a space and the prefix, see `createEntry` in core. */
function splitId(id: string): [scope: string, cidr: string] {
  const cut = id.lastIndexOf(' ')
  return [id.slice(0, cut), id.slice(cut + 1)]
}
