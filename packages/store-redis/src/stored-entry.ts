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

/** What many entries have in common. */
const COMMON = ['reason', 'by', 'policy', 'tier'] as const
/** Texts remembered at most: a reason may be another one in each entry. */
const TEXTS = 1000

/**
 * `parseEntry` for many: equal texts are one text. 200,000 entries with one reason of 32 characters take 194 bytes each instead of 242, and
 * the garbage collector, which stops the event loop while it moves them, has less to move.
 */
export function createEntryParser(): (text: string) => Entry {
  const texts = new Map<string, string>()
  return (text) => {
    const entry = JSON.parse(text.slice(text.indexOf(' ') + 1)) as { -readonly [Key in keyof Entry]: Entry[Key] } // as above
    for (const name of COMMON) {
      const value = entry[name]
      if (value === undefined) continue
      const known = texts.get(value)
      if (known !== undefined) entry[name] = known
      else if (texts.size < TEXTS) texts.set(value, value)
    }
    return Object.freeze(entry)
  }
}

/** A ban from the key of a client, whose prefix is `cidr`. */
export function parseOwnBan(text: string, cidr: string): Entry {
  const fields = JSON.parse(text.slice(text.indexOf(' ') + 1)) as Omit<Entry, 'id' | 'cidr'> // the script or `renderOwnBan` wrote it
  return createEntry(parsePrefix(cidr), fields)
}
