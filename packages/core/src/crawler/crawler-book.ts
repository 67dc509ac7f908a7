/** For how long what has been found out about addresses holds, in ms. */
export interface CrawlerTimes {
  readonly verified: number
  readonly unverified: number
  readonly error: number
}

export interface CrawlerBook {
  /** The crawler that an address was verified as, and whether it is time to verify it anew. */
  verified(ip: string, now: number): { readonly crawler: string; readonly due: boolean } | undefined
  /** Why an address is not looked up now: it, or too many of its client, has lately been told to be no crawler's, or could not be told. */
  doubt(ip: string, client: string, now: number): 'unverified' | 'failed' | undefined
  confirm(ip: string, client: string, crawler: string, now: number): void
  refute(ip: string, client: string, now: number): void
  /** It could not be told. What was verified before stays so for a time. */
  fail(ip: string, client: string, now: number): void
  counts(): { readonly verified: number; readonly unverified: number; readonly failed: number }
}

interface Verified {
  readonly crawler: string
  /** When it is verified anew. */
  readonly due: number
  /** When it is given up, if that has failed each time. */
  readonly end: number
}

interface Doubt {
  readonly kind: 'unverified' | 'failed' | 'client'
  readonly until: number
  /** Failures in a row; of a client, doubtful addresses. */
  readonly times: number
}

/** How long an address stays verified while look-ups fail. */
const KEPT = 7 * 86_400_000
/** A client of IPv6 has more addresses than can be looked up: beyond so many doubtful ones no further one is. */
const DOUBTS_OF_CLIENT = 8

/** What has been found out, bounded: forged claims fill the doubts, and never push out a verified address. */
export function createCrawlerBook(times: CrawlerTimes, most: number): CrawlerBook {
  const verified = new Map<string, Verified>()
  const doubts = new Map<string, Doubt>()

  function suspect(ip: string, client: string, kind: 'unverified' | 'failed', now: number): void {
    const last = doubts.get(ip)
    const inRow = kind === 'failed' && last?.kind === kind && now < last.until + times.unverified
    const failures = inRow ? last.times + 1 : 1
    const length = kind === 'failed' ? longer(failures) : times.unverified
    put(doubts, ip, { kind, until: now + length, times: failures }, most)
    if (client === ip) return
    const group = doubts.get(client)
    const known = group && now < group.until ? group : undefined
    const until = Math.max(known?.until ?? 0, now + length)
    put(doubts, client, { kind: 'client', until, times: (known?.times ?? 0) + 1 }, most)
  }

  /** Twice as long each time, as who controls a reverse zone can let every look-up fail. */
  function longer(failures: number): number {
    return Math.max(times.error, Math.min(times.error * 2 ** (failures - 1), times.unverified))
  }

  return {
    verified(ip, now) {
      const known = verified.get(ip)
      return known && now < known.end ? { crawler: known.crawler, due: now >= known.due } : undefined
    },
    doubt(ip, client, now) {
      const own = doubts.get(ip)
      if (own && now < own.until) return own.kind === 'failed' ? own.kind : 'unverified'
      const group = doubts.get(client)
      const full = group?.kind === 'client' && group.times >= DOUBTS_OF_CLIENT && now < group.until
      return full ? 'unverified' : undefined
    },
    confirm(ip, client, crawler, now) {
      doubts.delete(ip)
      doubts.delete(client)
      const due = now + times.verified
      put(verified, ip, { crawler, due, end: due + KEPT }, most)
    },
    refute(ip, client, now) {
      verified.delete(ip)
      suspect(ip, client, 'unverified', now)
    },
    fail(ip, client, now) {
      suspect(ip, client, 'failed', now)
    },
    counts() {
      const counts = { verified: verified.size, unverified: 0, failed: 0 }
      for (const { kind } of doubts.values()) if (kind !== 'client') counts[kind]++
      return counts
    },
  }
}

/** The one that was put longest ago goes when there is no room. */
function put<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
