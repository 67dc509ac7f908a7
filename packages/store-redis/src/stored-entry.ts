import { createEntry, type Entry, parsePrefix } from '@ipguard/core'

/*
 * An entry as text: when it ends (epoch ms, 0: never), a space, JSON. Scripts read the number and leave the rest alone. In a client's own
 * key the JSON is without `id` and `cidr`, which the key's name gives.
 */

export function renderEntry(entry: Entry): string {
  return `${entry.expiresAt ?? 0} ${JSON.stringify(entry)}`
}

export function renderOwnBan({ id: _id, cidr: _cidr, ...fields }: Entry): string {
  return `${fields.expiresAt ?? 0} ${JSON.stringify(fields)}`
}

export function parseEntry(text: string): Entry {
  return Object.freeze(JSON.parse(text.slice(text.indexOf(' ') + 1)) as Entry) // only `renderEntry` writes there
}

/** A ban from the key of a client, whose prefix is `cidr`. */
export function parseOwnBan(text: string, cidr: string): Entry {
  const fields = JSON.parse(text.slice(text.indexOf(' ') + 1)) as Omit<Entry, 'id' | 'cidr'> // the script or `renderOwnBan` wrote it
  return createEntry(parsePrefix(cidr), fields)
}
