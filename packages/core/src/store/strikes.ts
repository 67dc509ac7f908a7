import type { Address } from '../ip/address.ts'
import { type Prefix, prefixContains } from '../ip/prefix.ts'
import type { Counter, CounterKey } from './hit.ts'
import type { Ladder } from './ladder.ts'

interface Sheet {
  readonly address: Address
  /** Ascending epoch ms; never more than the highest tier asks for. */
  readonly times: number[]
  /** When the last strike by the limit itself was added: at most one a window. */
  refusedAt: number
}

/** Strikes by counter and client. Only clients that went over a limit are here, so a bounded Map does; it is off the path of admitted requests. */
export interface Strikes {
  /** Adds a strike unless this window had one already; answers whether it did. */
  add(counter: Counter, key: CounterKey, ladder: Ladder, now: number, byApplication: boolean): boolean
  /** Those that are not forgotten yet. */
  times(counter: Counter, key: CounterKey, ladder: Ladder, now: number): readonly number[]
  forgive(prefix: Prefix): void
  size(): number
}

export function createStrikes(max: number): Strikes {
  const sheets = new Map<string, Sheet>()

  return {
    add(counter, key, ladder, now, byApplication) {
      if (key.kind === 0) return false
      const id = `${counter.id} ${key.text}`
      const sheet = sheets.get(id) ?? {
        address: { family: key.kind, a: key.a, b: key.b, c: key.c, d: key.d },
        times: [],
        refusedAt: Number.NEGATIVE_INFINITY,
      }
      if (!byApplication) {
        if (now - sheet.refusedAt < counter.window) return false
        sheet.refusedAt = now
      }
      sheet.times.push(now)
      const most = ladder.tiers[ladder.tiers.length - 1]?.after ?? 1
      if (sheet.times.length > most) sheet.times.shift()
      // To the end of the Map's order: the client that struck longest ago makes room.
      sheets.delete(id)
      sheets.set(id, sheet)
      const [oldest] = sheets.size > max ? sheets.keys() : []
      if (oldest !== undefined) sheets.delete(oldest)
      return true
    },
    times(counter, key, ladder, now) {
      return sheets.get(`${counter.id} ${key.text}`)?.times.filter((at) => now - at < ladder.decay) ?? []
    },
    forgive(prefix) {
      for (const [id, sheet] of sheets) if (prefixContains(prefix, sheet.address)) sheets.delete(id)
    },
    size: () => sheets.size,
  }
}
