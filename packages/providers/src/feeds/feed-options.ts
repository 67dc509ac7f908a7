import { type Clock, checkOptions, type Duration, invalidOption, parseDuration, systemClock } from '@ipguard/core'
import { checkBaseUrl, checkUrl } from '../http/provider-url.ts'
import type { FeedWarning } from './feed-status.ts'
import { checkFormat } from './formats/check-format.ts'
import type { FeedFormat } from './formats/feed-format.ts'
import type { FeedBody } from './read-pieces.ts'

/** Keeps the last good list across restarts; `fileSnapshot(path)` of `@ipguard/node` is one. */
export interface FeedCache {
  /** The bytes saved last; undefined: none. */
  load(): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Replaces them as a whole. */
  save(bytes: Uint8Array): void | Promise<void>
}

/** The options of `feed`: where it comes from, how often, and what is never taken from it. */
export interface FeedOptions {
  /** Names it in status and events, and labels its entries: letters, digits, "-", "_" and ".", up to 64. */
  readonly name: string
  /** Where the list is: https, or http to this machine. One of `url`, `file` and `source` is needed. */
  readonly url?: string
  /** A file of this machine; read again when its time or size has changed. */
  readonly file?: string
  /** A transport of your own: answers the list in chunks. The signal aborts at `timeout`. */
  readonly source?: (context: { readonly signal: AbortSignal }) => FeedBody | Promise<FeedBody>
  /** How the list is written. @default 'text' */
  readonly format?: FeedFormat
  /** How often the source is asked, give or take 5 %. @default '1d' */
  readonly refresh?: Duration
  /** The source is never asked more often, neither by a retry nor by `refresh()`. @default no such limit */
  readonly minInterval?: Duration
  /** One deadline for a download, from the connection to the last byte. @default '60s' */
  readonly timeout?: Duration
  /** What labels the entries in decisions. @default the name */
  readonly label?: string
  /** Keeps the last good list across restarts. @default none */
  readonly cache?: FeedCache
  /** How large a list may be, decompressed; JSON at most 16 MiB. @default 67108864 */
  readonly maxBytes?: number
  /** @default 2000000 */
  readonly maxEntries?: number
  /** Takes a list of nothing for what it is. @default false */
  readonly allowEmpty?: boolean
  /** A block that is wider refuses the list, unless it is wholly special. @default { v4: 8, v6: 19 } */
  readonly minPrefix?: { readonly v4?: number; readonly v6?: number }
  /** The share of records that may be no addresses; they are dropped and reported. @default 0.001 */
  readonly maxBad?: number
  /** How many times the entries of before a list may have. @default 10 */
  readonly maxGrowth?: number
  /** The share of the entries of before that may be gone. @default 0.5 */
  readonly maxShrink?: number
  /** A set that the source has not confirmed for longer stays in use, and is warned about. @default '7d', or three times `refresh` */
  readonly staleAfter?: Duration
  /** Sent along; their values appear in no error. */
  readonly headers?: Readonly<Record<string, string>>
  /** In place of the runtime's own. */
  readonly fetch?: typeof fetch
  /** @default the system's */
  readonly clock?: Clock
  /** Told when a feed fails, is refused or grows stale; once until it recovers. @default process.emitWarning, where there is one */
  readonly onWarning?: (warning: FeedWarning) => void
}

export const FEED_OPTIONS = [
  'name',
  'url',
  'file',
  'source',
  'format',
  'refresh',
  'minInterval',
  'timeout',
  'label',
  'cache',
  'maxBytes',
  'maxEntries',
  'allowEmpty',
  'minPrefix',
  'maxBad',
  'maxGrowth',
  'maxShrink',
  'staleAfter',
  'headers',
  'fetch',
  'clock',
  'onWarning',
] as const

/** Options, checked and complete; durations in ms. */
export interface FeedSettings
  extends Pick<FeedOptions, 'url' | 'file' | 'source' | 'cache' | 'headers' | 'fetch' | 'onWarning'> {
  readonly name: string
  readonly label: string
  readonly format: FeedFormat
  readonly refresh: number
  readonly minInterval: number
  readonly timeout: number
  readonly maxBytes: number
  readonly maxEntries: number
  readonly allowEmpty: boolean
  readonly minPrefix: { readonly v4: number; readonly v6: number }
  readonly maxBad: number
  readonly maxGrowth: number
  readonly maxShrink: number
  readonly staleAfter: number
  readonly clock: Clock
}

const DAY = 86_400_000

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID` */
export function checkFeedOptions(options: FeedOptions, owner: string): FeedSettings {
  checkOptions(options, FEED_OPTIONS, owner)
  const { name, label = name, url, file, source, cache, headers, onWarning, format = 'text' } = options
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) {
    throw invalidOption(`${owner}.name`, name, 'a text of 1 to 64 letters, digits, "-", "_" and "."')
  }
  if (typeof label !== 'string' || !/^[\x20-\x7e]{1,64}$/.test(label)) {
    throw invalidOption(`${owner}.label`, label, 'a text of 1 to 64 printable ASCII characters')
  }
  if ([url, file, source].filter((each) => each !== undefined).length !== 1) {
    throw invalidOption(`${owner}.url`, url, 'exactly one of url, file and source')
  }
  if (url !== undefined) checkFeedUrl(url, `${owner}.url`)
  if (file !== undefined && (typeof file !== 'string' || file === '')) {
    throw invalidOption(`${owner}.file`, file, 'the name of a file')
  }
  for (const [key, value] of Object.entries({ source, fetch: options.fetch, onWarning })) {
    if (value !== undefined && typeof value !== 'function') throw invalidOption(`${owner}.${key}`, value, 'a function')
  }
  if (cache !== undefined) checkCache(cache, `${owner}.cache`)
  if (headers !== undefined) checkHeaders(headers, `${owner}.headers`)

  const refresh = parseDuration(options.refresh ?? DAY, `${owner}.refresh`)
  const { minInterval: least } = options
  const minInterval = least === undefined ? 0 : parseDuration(least, `${owner}.minInterval`)
  if (refresh < minInterval) {
    throw invalidOption(
      `${owner}.refresh`,
      options.refresh,
      `at least ${minInterval} ms: the source may not be asked more often`,
    )
  }
  const staleAfter = parseDuration(options.staleAfter ?? Math.max(7 * DAY, 3 * refresh), `${owner}.staleAfter`)
  if (staleAfter < refresh) {
    throw invalidOption(`${owner}.staleAfter`, options.staleAfter, 'at least as long as refresh')
  }
  const { allowEmpty = false, clock = systemClock() } = options
  if (typeof allowEmpty !== 'boolean') throw invalidOption(`${owner}.allowEmpty`, allowEmpty, 'true or false')
  const { v4 = 8, v6 = 19 } = checkMinPrefix(options.minPrefix, `${owner}.minPrefix`)
  return {
    name,
    label,
    ...(url !== undefined && { url }),
    ...(file !== undefined && { file }),
    ...(source && { source }),
    ...(cache && { cache }),
    ...(headers && { headers }),
    ...(options.fetch && { fetch: options.fetch }),
    ...(onWarning && { onWarning }),
    format: checkFormat(format, `${owner}.format`),
    refresh,
    minInterval,
    staleAfter,
    clock,
    allowEmpty,
    minPrefix: { v4, v6 },
    timeout: parseDuration(options.timeout ?? 60_000, `${owner}.timeout`),
    maxBytes: within(options.maxBytes ?? 2 ** 26, 1, 2 ** 30, `${owner}.maxBytes`),
    maxEntries: within(options.maxEntries ?? 2_000_000, 1, 16_000_000, `${owner}.maxEntries`),
    maxBad: within(options.maxBad ?? 0.001, 0, 1, `${owner}.maxBad`),
    maxGrowth: within(options.maxGrowth ?? 10, 1, Number.POSITIVE_INFINITY, `${owner}.maxGrowth`),
    maxShrink: within(options.maxShrink ?? 0.5, 0, 1, `${owner}.maxShrink`),
  }
}

function checkFeedUrl(url: unknown, option: string): void {
  let bare = url
  try {
    const read = checkUrl(url as string) // anything else throws
    bare = read.origin + read.pathname
  } catch {
    // Told below, where the option has its name.
  }
  // A list may be asked for with a query; the rest of the rules is that of every source.
  checkBaseUrl(bare, option)
}

function checkCache(cache: FeedCache, option: string): void {
  const methods: object = typeof cache === 'object' && cache !== null ? cache : {}
  for (const name of ['load', 'save']) {
    const method: unknown = Reflect.get(methods, name)
    if (typeof method !== 'function') throw invalidOption(`${option}.${name}`, method, 'a function')
  }
}

function checkHeaders(headers: unknown, option: string): void {
  const isRecord = typeof headers === 'object' && headers !== null && !Array.isArray(headers)
  if (!isRecord || Object.values(headers).some((value) => typeof value !== 'string')) {
    throw invalidOption(option, headers, "an object of texts, like { authorization: 'Bearer …' }")
  }
  // What cannot be sent is not shown either: it may be a key.
  const isFine = Object.entries(headers).every(
    ([name, value]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(String(value)),
  )
  if (!isFine) throw invalidOption(option, 'something that cannot be sent', 'without control characters, in Latin-1')
}

function checkMinPrefix(
  value: FeedOptions['minPrefix'],
  option: string,
): { readonly v4?: number; readonly v6?: number } {
  if (value === undefined) return {}
  checkOptions(value, ['v4', 'v6'], option)
  if (value.v4 !== undefined) within(value.v4, 1, 32, `${option}.v4`)
  if (value.v6 !== undefined) within(value.v6, 1, 128, `${option}.v6`)
  return value
}

function within(value: unknown, least: number, most: number, option: string): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw invalidOption(option, value, `a number from ${least} to ${most}`)
  }
  return value
}
