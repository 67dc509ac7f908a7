import { formatPrefix, maskAddress, type Prefix, parsePrefix } from '../ip/prefix.ts'

/** One managed line. Plain JSON. */
export interface Entry {
  /** Derived from kind, prefix and scope, so that putting it twice is putting it once. */
  readonly id: string
  /** `mode`: the guard's own mode, kept here so that it reaches every instance; its prefix says nothing. */
  readonly kind: 'allow' | 'deny' | 'ban' | 'mode'
  readonly cidr: string
  /** Epoch ms. */
  readonly createdAt: number
  /** Epoch ms; absent: permanent. */
  readonly expiresAt?: number
  readonly reason?: string
  /** Who or what made it: `manual`, or the name of the policy whose ladder did. */
  readonly by: string
  /** The ladder's tier. */
  readonly tier?: string
  /** The ban holds for this policy only. */
  readonly policy?: string
  /** Made by a shadow policy: seen by it alone, refuses nothing. */
  readonly shadow?: boolean
  readonly mode?: 'enforce' | 'shadow'
}

/** Entries that came and ids that went, as a store tells its watchers. */
export interface EntryChange {
  readonly put?: readonly Entry[]
  /** Ids. */
  readonly removed?: readonly string[]
  /**
   * The changes alone are not enough any more. `gap`: some were missed; load anew and drop what is not there. `lost`: the store came back
   * without what it held, emptied or as it once was; put the live entries again first, then load anew.
   */
  readonly again?: 'gap' | 'lost'
}

/** The entry with its id. */
export function createEntry(prefix: Prefix, fields: Omit<Entry, 'id' | 'cidr'>): Entry {
  const masked = { address: maskAddress(prefix.address, prefix.length), length: prefix.length }
  const cidr = formatPrefix(masked)
  return Object.freeze({ id: `${entryScope(fields)} ${cidr}`, cidr, ...fields })
}

/** What two entries on one prefix must differ in to stand side by side. */
export function entryScope(entry: Pick<Entry, 'kind' | 'shadow' | 'policy'>): string {
  return `${entry.kind}${entry.shadow ? ' shadow' : ''}${entry.policy === undefined ? '' : ` ${JSON.stringify(entry.policy)}`}`
}

export function parseEntryId(id: string): [scope: string, prefix: Prefix] {
  const cut = id.lastIndexOf(' ')
  return [id.slice(0, cut), parsePrefix(id.slice(cut + 1))]
}

export function isLive(entry: Pick<Entry, 'expiresAt'>, now: number): boolean {
  return entry.expiresAt === undefined || entry.expiresAt > now
}

/** When the entry ends; Infinity for a permanent one. */
export function endOf(entry: Pick<Entry, 'expiresAt'>): number {
  return entry.expiresAt ?? Number.POSITIVE_INFINITY
}

/** Sorts the one that ends last to the front. */
export function laterFirst(x: Entry, y: Entry): number {
  // Two permanent ones: Infinity - Infinity is NaN.
  return endOf(x) === endOf(y) ? 0 : endOf(y) - endOf(x)
}

/** The end of the group's last; nothing when one is permanent. */
export function latestEnd(group: readonly Entry[]): Pick<Entry, 'expiresAt'> {
  const end = Math.max(...group.map(endOf))
  return end === Number.POSITIVE_INFINITY ? {} : { expiresAt: end }
}

/** All but the place and the end, for an entry that takes over from this one. */
export function withoutPlace(entry: Entry): Omit<Entry, 'id' | 'cidr' | 'expiresAt'> {
  const { id: _id, cidr: _cidr, expiresAt: _end, ...rest } = entry
  return rest
}
