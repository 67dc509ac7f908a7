import { type Address, parseAddress } from '@ipguard/core'
import { type Decision, isGraver, type TypeScores } from './crowdsec-decision.ts'
import { inSlices } from './crowdsec-slices.ts'

/** A decision as it is held: when it ends instead of what is left. */
export interface HeldDecision {
  readonly type: string
  /** By the clock of whoever put it. */
  readonly until: number
  readonly scenario: string
  readonly origin: string
  /** Of the same address or block, with another type. */
  readonly next: HeldDecision | undefined
  /** It goes with the next `settle`. */
  isDropped: boolean
  /** The set of changes that put it here. */
  turn: number
}

/** Decisions found by address. */
export interface DecisionTable {
  /** Decisions held, those included that have run out and were not deleted yet. */
  readonly size: number
  /** Of two with one type and value the later end stays; one that was dropped is replaced. */
  put(decision: Decision, now: number): void
  /** Takes it away with the next `settle`, unless it is put in the same set of changes, before or after. What is not held is no mistake. */
  drop(decision: Decision): void
  /** Ends a set of changes. Until then what was dropped is still found: an address whose ban is renewed is never without. */
  settle(): Promise<void>
  /** The gravest that is running and covers the address. Text that is no address is covered by none. */
  match(ip: string, now: number): HeldDecision | undefined
}

type Place = Pick<Decision, 'type' | 'prefix'>
type Words = Pick<Address, 'a' | 'b' | 'c' | 'd'>

/**
 * Blocks of one family and one length. In parts, because a Map that grows copies itself at once: with 200,000 entries in one Map that alone
 * holds the event loop for several milliseconds.
 */
type Part = Map<number | string, HeldDecision>
const PARTS = 64

/**
 * A table that takes additions and removals one by one, each in constant time, and finds an address with one look-up for each prefix length
 * that occurs. Texts that repeat (scenarios, origins) are kept once.
 */
export function createDecisionTable(scoreOf: TypeScores): DecisionTable {
  const lengths4 = createLengths(32)
  const lengths6 = createLengths(128)
  const texts = new Map<string, string>()
  const counts = { size: 0 }
  let turn = 0
  let dropped: Place[] = []

  /** JSON.parse makes a new text for each decision. */
  function once(text: string): string {
    const known = texts.get(text)
    if (known !== undefined) return known
    // Names are few; messages with an address in them would be many.
    if (texts.size < 10_000) texts.set(text, text)
    return text
  }

  function change(
    { prefix }: Pick<Place, 'prefix'>,
    edit: (held: HeldDecision | undefined) => HeldDecision | undefined,
  ): void {
    const { address, length } = prefix
    const lengths = address.family === 4 ? lengths4 : lengths6
    const part = lengths.part(address, length)
    const key = keyOf(address, length, address.family)
    const before = part.get(key)
    const after = edit(before)
    if (after) part.set(key, after)
    else part.delete(key)
    if (!before && after) lengths.count(length, 1)
    if (before && !after) lengths.count(length, -1)
  }

  /** The chain without the type. */
  function without(held: HeldDecision | undefined, type: string): HeldDecision | undefined {
    if (!held) return undefined
    if (held.type === type) {
      counts.size--
      return held.next
    }
    const next = without(held.next, type)
    return next === held.next ? held : { ...held, next }
  }

  return Object.assign<typeof counts, Omit<DecisionTable, keyof typeof counts>>(counts, {
    put(decision, now) {
      const until = now + decision.left
      change(decision, (held) => {
        const same = find(held, decision.type)
        if (same && !same.isDropped && same.until >= until) {
          same.turn = turn
          return held
        }
        counts.size++
        return {
          type: once(decision.type),
          until,
          scenario: once(decision.scenario),
          origin: once(decision.origin),
          next: without(held, decision.type),
          isDropped: false,
          turn,
        }
      })
    },
    drop({ type, prefix }) {
      change({ prefix }, (held) => {
        const same = find(held, type)
        if (same && !same.isDropped && same.turn !== turn) {
          same.isDropped = true
          dropped.push({ type: same.type, prefix })
        }
        return held
      })
    },
    async settle() {
      const gone = dropped
      dropped = []
      turn++
      await inSlices(gone, (each) => {
        change(each, (held) => (find(held, each.type)?.isDropped ? without(held, each.type) : held))
      })
    },
    match(ip, now) {
      const address = parseAddress(ip)
      if (!address) return undefined
      let found: HeldDecision | undefined
      const lengths = address.family === 4 ? lengths4 : lengths6
      for (const length of lengths.present) {
        let held = lengths.part(address, length).get(keyOf(address, length, address.family))
        for (; held; held = held.next) {
          if (held.until > now && (!found || isGraver(ranked(held), ranked(found), scoreOf))) found = held
        }
      }
      return found
    },
  })
}

function find(held: HeldDecision | undefined, type: string): HeldDecision | undefined {
  for (let each = held; each; each = each.next) if (each.type === type) return each
  return undefined
}

function ranked({ type, until }: HeldDecision): { readonly type: string; readonly left: number } {
  return { type, left: until }
}

/** The parts of all prefix lengths of a family, and which lengths occur. */
function createLengths(most: number): {
  readonly present: readonly number[]
  part(words: Words, length: number): Part
  count(length: number, change: 1 | -1): void
} {
  const counts = new Int32Array(most + 1)
  const parts: Part[][] = []
  const self = {
    present: [] as readonly number[],
    part(words: Words, length: number): Part {
      let row = parts[length]
      if (!row) {
        row = Array.from({ length: PARTS }, () => new Map())
        parts[length] = row
      }
      return row[spread(words, length)] as Part // spread answers 0 to PARTS - 1
    },
    count(length: number, change: 1 | -1) {
      const count = (counts[length] ?? 0) + change
      counts[length] = count
      if (count > 1 || (count === 1 && change < 0)) return
      self.present = [...counts.keys()].filter((each) => counts[each] !== 0)
    },
  }
  return self
}

function spread(words: Words, length: number): number {
  const h = mask(words.a, length) ^ mask(words.b, length - 32) ^ mask(words.c, length - 64) ^ mask(words.d, length - 96)
  return (Math.imul(h, 0x9e3779b1) >>> 16) & (PARTS - 1)
}

/** IPv4 by its word; IPv6 by its four words as text. */
function keyOf(words: Words, length: number, family: 4 | 6): number | string {
  if (family === 4) return mask(words.a, length)
  return `${mask(words.a, length)},${mask(words.b, length - 32)},${mask(words.c, length - 64)},${mask(words.d, length - 96)}`
}

function mask(word: number, bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? word : word & (-1 << (32 - bits))
}
