import type { Address } from '../ip/address.ts'
import { formatPrefix, maskAddress, parsePrefix } from '../ip/prefix.ts'
import { type Entry, entryScope } from '../store/entry.ts'

/** What a copy had no room for: not the entries, but on which scopes and prefix lengths there are any. */
export interface LeftOut {
  /** Kinds of entries left out; 0: the copy is whole. */
  readonly size: number
  add(entry: Entry): void
  /** The ids under which an entry that covers this address may have been left out. */
  ids(address: Address): readonly string[]
}

export function createLeftOut(): LeftOut {
  /** By `4` or `6` and the scope: the lengths. */
  const places = new Map<string, Set<number>>()
  // Data, not a getter: every check reads it.
  const book = {
    size: 0,
    add(entry: Entry) {
      const { address, length } = parsePrefix(entry.cidr)
      const place = `${address.family}${entryScope(entry)}`
      places.set(place, (places.get(place) ?? new Set()).add(length))
      book.size = places.size
    },
    ids: (address: Address) =>
      [...places].flatMap(([place, lengths]) =>
        place.startsWith(String(address.family))
          ? [...lengths].map(
              (length) => `${place.slice(1)} ${formatPrefix({ address: maskAddress(address, length), length })}`,
            )
          : [],
      ),
  }
  return book
}
