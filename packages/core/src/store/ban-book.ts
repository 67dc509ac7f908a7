import type { Entry } from './entry.ts'
import type { EntryTable } from './entry-table.ts'
import type { Counter, CounterKey } from './hit.ts'

/** Where counters look for bans and put the ones that they bring about. */
export interface BanBook {
  /** Where the bans are; none held spares the look-up. */
  readonly table: { readonly bans: number }
  /** The ban on exactly this key that stops this counter. */
  find(counter: Counter, key: CounterKey, now: number): Entry | undefined
  add(entry: Entry): void
}

/** The scope of bans that close everything. */
export const SITE_BAN = 'ban'

/** Counters read their bans from a table of entries, and hand those that they bring about to `add`. */
export function createBanBook(table: EntryTable, add: (ban: Entry) => void): BanBook {
  return {
    table,
    find(counter, key, now) {
      // A shadow counter sees its own bans only: it starts from zero when enforced, and refuses nobody until then.
      const site = counter.shadow ? undefined : table.exact(SITE_BAN, addressOf(key), key.length, now)
      return (
        site ??
        (counter.banScope === SITE_BAN ? undefined : table.exact(counter.banScope, addressOf(key), key.length, now))
      )
    },
    add,
  }
}

function addressOf(key: Parameters<BanBook['find']>[1]): { family: 4 | 6; a: number; b: number; c: number; d: number } {
  return { family: key.kind === 6 ? 6 : 4, a: key.a, b: key.b, c: key.c, d: key.d }
}
