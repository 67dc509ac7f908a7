import { IpGuardError, type IpSet, schedule } from '@ipguard/core'
import { type CacheHeader, decodeCache, encodeCache, sumOf } from './cache-bytes.ts'
import { sumText } from './checksum.ts'
import type { FeedCache, FeedSettings } from './feed-options.ts'
import { isAhead } from './is-ahead.ts'
import { type Loaded, loadSet } from './load-set.ts'
import { closedError, openSource, type Validators } from './open-source.ts'
import { refusal } from './refusal.ts'

/** The list in use. Times are epoch ms. */
export interface Held {
  readonly set: IpSet
  readonly validators: Validators
  /** Of the bytes that it was read from. */
  readonly sum: number
  readonly bytes: number
  readonly loadedAt: number
  readonly checkedAt: number
  readonly sourceDate: number | undefined
  readonly bad: { readonly count: number; readonly sample: readonly string[] }
  readonly special: number
}

/** Ends reading: the list is byte for byte the one in use. */
const SAME = new Error('The list is the same.')

/** A source may be served from several machines, whose clocks and copies differ a little. */
const TOLERANCE = 86_400_000

/** The longest that timers can wait. */
const LONGEST_WAIT = 2 ** 31 - 1

export interface Update {
  readonly held: Held
  /** False: the list in use is still the newest. */
  readonly isNew: boolean
  /** The list as it came, when there is a cache for it. */
  readonly chunks: readonly Uint8Array[]
}

/** Asks the source, and answers the list to use from now on. Throws when there is none, or when it is not to be used. */
export async function fetchUpdate(
  settings: FeedSettings,
  held: Held | undefined,
  { signal, force }: { readonly signal: AbortSignal; readonly force: boolean },
): Promise<Update> {
  const { clock } = settings
  const { body, ...validators } = await openSource(settings, held?.validators ?? {}, signal)
  const unchanged = (): Update => {
    if (!held)
      throw new IpGuardError('IPGUARD_FEED_FAILED', 'The source says that nothing is new, and there is nothing old.')
    return { held: { ...held, validators, checkedAt: clock.now() }, isNew: false, chunks: [] }
  }
  if (!body) return unchanged()
  try {
    const loaded = await loadSet(body, {
      ...settings,
      keep: settings.cache !== undefined,
      arrived(sum, bytes) {
        if (held && sum === held.sum && bytes === held.bytes) throw SAME
      },
    })
    // Closed while the last of it was read.
    if (signal.aborted) throw closedError(settings.name)
    const now = clock.now()
    const next = toHeld(loaded, { validators, loadedAt: now, checkedAt: now })
    if (!force) compare(settings, held, next)
    return { held: next, isNew: true, chunks: loaded.chunks }
  } catch (error) {
    if (error === SAME) return unchanged()
    throw error
  }
}

/** The list of before, from the cache; undefined when there is none, or one of another place. Throws when it is damaged or not to be used. */
export async function readCache(settings: FeedSettings): Promise<Held | undefined> {
  const bytes = await inTime(settings, (cache) => cache.load())
  if (!bytes || bytes.length === 0) return undefined
  const cached = decodeCache(bytes)
  if (!cached) throw damaged('it does not begin as one')
  const { header, body, sum } = cached
  if (header.place !== placeOf(settings)) return undefined
  const loaded = await loadSet([body], {
    ...settings,
    keep: false,
    arrived(found) {
      if (sumText(found) !== sum) throw damaged('the checksum differs')
    },
  })
  const { etag, lastModified, loadedAt, checkedAt } = header
  const held = toHeld(loaded, {
    validators: { ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) },
    loadedAt,
    checkedAt,
  })
  compare(settings, undefined, held)
  return held
}

/** Puts a new list into the cache; of one that is in there already, only when it was last confirmed. */
export async function writeCache(settings: FeedSettings, { held, isNew, chunks }: Update): Promise<void> {
  if (!settings.cache) return
  const save = async (bytes: Uint8Array): Promise<void> => inTime(settings, (cache) => cache.save(bytes))
  const { validators, loadedAt, checkedAt } = held
  const header: CacheHeader = { ...validators, place: placeOf(settings), loadedAt, checkedAt }
  if (isNew) return save(await encodeCache(header, chunks, held.sum))
  const bytes = await inTime(settings, (cache) => cache.load())
  const cached = bytes && decodeCache(bytes)
  if (!cached || cached.sum !== sumText(held.sum) || cached.header.place !== header.place) return
  await save(await encodeCache({ ...header, loadedAt: cached.header.loadedAt }, [cached.body], held.sum))
}

/** A cache that hangs must not hold the feed; what it brings later is not used. */
async function inTime<T>(
  { cache, clock, timeout }: FeedSettings,
  call: (cache: FeedCache) => T | Promise<T>,
): Promise<T | undefined> {
  if (!cache) return undefined
  let cancel = (): void => undefined
  const late = new Promise<never>((_, reject) => {
    cancel = schedule(clock, Math.min(timeout, LONGEST_WAIT), () =>
      reject(new IpGuardError('IPGUARD_SNAPSHOT_FAILED', `The cache did not answer within ${timeout} ms.`)),
    )
  })
  try {
    return await Promise.race([late, call(cache)])
  } finally {
    cancel()
  }
}

function toHeld(
  { set, sum, bytes, date, bad, badSample, special }: Loaded,
  source: Pick<Held, 'validators' | 'loadedAt' | 'checkedAt'>,
): Held {
  return { ...source, set, sum, bytes, sourceDate: date, bad: { count: bad, sample: badSample }, special }
}

/** Refuses what cannot be the successor of the list in use, or any list. */
function compare({ allowEmpty, maxGrowth, maxShrink, clock }: FeedSettings, held: Held | undefined, next: Held): void {
  const now = next.set.size
  const before = held?.set.size ?? 0
  if (now === 0 && !allowEmpty) throw refusal('empty', 'The list has no entry.')
  if (before > 0 && now > before * maxGrowth) {
    throw refusal('grown', `The list has ${now} entries, and had ${before}: more than ${maxGrowth} times as many.`)
  }
  if (before > 0 && now < before * (1 - maxShrink)) {
    throw refusal('shrunk', `The list has ${now} entries, and had ${before}: more than ${maxShrink * 100} % are gone.`)
  }
  const [mine, theirs] = [dateOf(held, clock), dateOf(next, clock)]
  if (mine !== undefined && theirs !== undefined && theirs < mine - TOLERANCE) {
    throw refusal(
      'older',
      `The list is of ${new Date(theirs).toISOString()}, and the one in use of ${new Date(mine).toISOString()}.`,
    )
  }
}

/** The list's own date, or what the server says; neither if it is to come: every later list would be older. */
function dateOf(held: Held | undefined, clock: FeedSettings['clock']): number | undefined {
  const dates = [held?.sourceDate, Date.parse(held?.validators.lastModified ?? '')]
  return dates.find((date) => date !== undefined && !Number.isNaN(date) && !isAhead(date, clock))
}

/** Tells the caches of feeds apart; a URL may hold a key, so it is not written as it is. */
function placeOf({ url, file, name }: FeedSettings): string {
  return sumOf(url ?? file ?? name)
}

function damaged(why: string): IpGuardError {
  return new IpGuardError('IPGUARD_SNAPSHOT_DAMAGED', `The cached list is not used: ${why}.`)
}
