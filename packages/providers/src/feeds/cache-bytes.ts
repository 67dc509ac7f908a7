import { addToSum, SUM_START, sumText } from './checksum.ts'
import { nextTurn } from './next-turn.ts'
import type { Validators } from './open-source.ts'

/** What the cache knows about the list that it holds. Times are epoch ms. */
export interface CacheHeader extends Validators {
  /** Of the place that the list is from, so that the cache of another feed is told. */
  readonly place: string
  readonly loadedAt: number
  readonly checkedAt: number
}

export interface CachedList {
  readonly header: CacheHeader
  readonly body: Uint8Array
  /** Of the body, as it was written; to be compared when it has been read. */
  readonly sum: string
}

// One line of text before the list as it came: magic, sum of the list, sum of the header, header.
const MAGIC = 'ipguard-feed-1'
const LONGEST_HEADER = 4096
/** Bytes that are copied in one turn. */
const COPIED = 2 ** 21

/** The list with its header, as bytes for the cache. */
export async function encodeCache(
  header: CacheHeader,
  chunks: readonly Uint8Array[],
  sum: number,
): Promise<Uint8Array> {
  const json = JSON.stringify(header)
  const line = new TextEncoder().encode(`${MAGIC} ${sumText(sum)} ${sumOf(json)} ${json}\n`)
  const length = chunks.reduce((all, chunk) => all + chunk.length, line.length)
  const bytes = new Uint8Array(length)
  bytes.set(line)
  let at = line.length
  let copied = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
    copied += chunk.length
    if (copied >= COPIED) {
      await nextTurn()
      copied = 0
    }
  }
  return bytes
}

/** Undefined when the bytes are damaged in their head or not of a cache at all. */
export function decodeCache(bytes: Uint8Array): CachedList | undefined {
  const end = bytes.subarray(0, LONGEST_HEADER).indexOf(10)
  const [, sum = '', headSum = '', json = ''] =
    /^ipguard-feed-1 ([\da-f]{8}) ([\da-f]{8}) (.*)$/.exec(
      new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))),
    ) ?? []
  if (sum === '' || sumOf(json) !== headSum) return undefined
  // Its sum says that we wrote it.
  return { header: JSON.parse(json) as CacheHeader, body: bytes.subarray(end + 1), sum }
}

/** The sum of a text. */
export function sumOf(text: string): string {
  return sumText(addToSum(SUM_START, new TextEncoder().encode(text)))
}
