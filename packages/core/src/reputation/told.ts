import type { Verdict } from './provider.ts'
import type { ProviderSettings } from './provider-settings.ts'
import { LONGEST_TTL, own, readVerdict } from './read-verdict.ts'

/** What a provider has told of an address, and until when that counts. Times are epoch ms. */
export interface Told {
  /** Absent: not listed. */
  readonly verdict?: Verdict
  readonly at: number
  /** From then on it is asked again. */
  readonly freshUntil: number
  /** Until then it counts while no newer answer is to be had. */
  readonly staleUntil: number
}

/** An answer counts this many times its TTL longer, and at most so long, when no newer one is to be had. */
const STALE_TIMES = 4
const STALE_MOST = 86_400_000
/** How far the clock of another process may be ahead. */
const AHEAD = 60_000

/** An answer that came now. */
export function toldNow(verdict: Verdict | undefined, { ttl }: ProviderSettings, now: number): Told {
  // A duration in milliseconds, by readVerdict.
  const length = verdict ? ((verdict.ttl as number | undefined) ?? ttl.verdict) : ttl.unlisted
  const freshUntil = now + shortened(length)
  return {
    ...(verdict && { verdict }),
    at: now,
    freshUntil,
    staleUntil: freshUntil + Math.min(STALE_TIMES * length, STALE_MOST),
  }
}

/** Up to a tenth less, so that what came together does not end together; never more, as it may be the most that a vendor allows. */
export function shortened(ms: number): number {
  return Math.max(1, Math.floor(ms * (1 - Math.random() / 10)))
}

export function renderTold({ verdict, at, freshUntil, staleUntil }: Told): string {
  return JSON.stringify([at, freshUntil, staleUntil, verdict])
}

/** Undefined for anything but what `renderTold` writes: such a record is as good as none. */
export function parseTold(text: string | undefined, now: number): Told | undefined {
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    const [at, freshUntil, staleUntil] = ['0', '1', '2'].map((key) => own(parsed, key))
    if (typeof at !== 'number' || typeof freshUntil !== 'number' || typeof staleUntil !== 'number') return undefined
    const ordered = at <= now + AHEAD && at <= freshUntil && freshUntil <= staleUntil
    if (!ordered || freshUntil > at + LONGEST_TTL || staleUntil > freshUntil + STALE_MOST) return undefined
    const said = own(parsed, '3')
    // JSON writes null for what is absent.
    return { ...(said !== null && said !== undefined && { verdict: readVerdict(said) }), at, freshUntil, staleUntil }
  } catch {
    return undefined
  }
}
