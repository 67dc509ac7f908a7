import type { Entry, Hit, HitReply } from '@ipguard/core'
import { parseOwnBan } from './stored-entry.ts'

/** The reply to one hit, with what only this store knows. */
export interface StoredReply extends HitReply {
  /** How much was taken in advance, and for how many ms it can be used. */
  readonly leased?: { readonly amount: number; readonly usableFor: number }
}

/** Reads the script's flat reply, see `hit-script.ts`. */
export interface ReplyReader {
  /** The replies to a check, whose spec was the one of that number, from 1. */
  next(hits: readonly Hit[], spec: number): StoredReply[]
}

const ADMITTED = 1
const STRIKES = 2
const BAN = 4
const BANNED = 8
const LEASED = 16

export function createReplyReader(values: readonly unknown[], specs: number): ReplyReader {
  // The first value is the time, then come two for each spec.
  let at = 1 + 2 * specs
  // ioredis answers texts where it is made with `stringNumbers`.
  const number = (): number => Number(values[at++])

  function read(hit: Hit, spec: number): StoredReply {
    const flags = number()
    if (flags < 0) {
      const slot = Number(values[2 * spec - 1]) | 0
      return { admitted: true, remaining: -1 - flags, resetIn: Number(values[2 * spec]), retryIn: 0, slot }
    }
    const reply: { -readonly [K in keyof StoredReply]: StoredReply[K] } = {
      admitted: (flags & ADMITTED) !== 0,
      remaining: number(),
      resetIn: number(),
      retryIn: number(),
      slot: number() | 0,
    }
    if (flags === ADMITTED) return reply
    const ban = (): Entry => parseOwnBan(values[at++] as string, hit.key.text)
    if (flags & STRIKES) reply.strikes = number()
    if (flags & BAN) reply.ban = ban()
    if (!reply.admitted && reply.ban?.expiresAt === undefined) {
      const limit = hit.burst ?? hit.limit
      if (reply.ban || hit.cost > limit) reply.retryIn = Number.MAX_SAFE_INTEGER
      // A strike, or too many in one call: there is nothing to wait for.
      else if (reply.remaining === limit) reply.retryIn = hit.counter.window
    }
    if (flags & BANNED) reply.banned = ban()
    if (flags & LEASED) reply.leased = { amount: number(), usableFor: number() }
    return reply
  }

  return {
    next(hits, spec) {
      const [only] = hits
      return hits.length === 1 && only ? [read(only, spec)] : hits.map((hit) => read(hit, spec))
    },
  }
}
