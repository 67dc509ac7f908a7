import { buildIpSet, type IpSet } from '@ipguard/core'
import { addToSum, SUM_START } from './checksum.ts'
import { createReader } from './formats/create-reader.ts'
import type { FeedFormat } from './formats/feed-format.ts'
import { createPace } from './next-turn.ts'
import { type FeedBody, readPieces } from './read-pieces.ts'
import { refusal } from './refusal.ts'
import { createSieve, type LabelledEntry, type SieveOptions, type SieveReport } from './sieve.ts'

export interface LoadOptions extends SieveOptions {
  readonly format: FeedFormat
  /** Decompressed. */
  readonly maxBytes: number
  /** Keeps the bytes, for the cache. */
  readonly keep: boolean
  /** Called with the sum and the number of all bytes before the set is built; may throw. */
  readonly arrived?: (sum: number, bytes: number) => void
}

export interface Loaded extends SieveReport {
  readonly set: IpSet
  readonly bytes: number
  readonly sum: number
  /** Empty unless they are kept. */
  readonly chunks: readonly Uint8Array[]
}

/** What is held at once: a document of JSON, or a line. */
const LONGEST_DOCUMENT = 16 * 2 ** 20
const LONGEST_LINE = 16_384

/** Reads a list and builds its set, giving way to other work all along. */
export async function loadSet(body: FeedBody, options: LoadOptions): Promise<Loaded> {
  const { maxBytes, keep, arrived } = options
  const sieve = createSieve(options)
  const reader = createReader(options.format, sieve)
  const chunks: Uint8Array[] = []
  const pace = createPace()
  let sum = SUM_START
  let bytes = 0
  let report: SieveReport | undefined

  async function* entries(): AsyncGenerator<readonly LabelledEntry[], void, undefined> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const piece of readPieces(body)) {
      bytes += piece.length
      if (bytes > maxBytes) throw refusal('too-large', `The list is larger than ${maxBytes} bytes.`)
      sum = addToSum(sum, piece)
      if (keep) chunks.push(piece.slice())
      const text = decoder.decode(piece, { stream: true })
      if (bytes === piece.length && text.trimStart().startsWith('<')) throw refusal('html', 'The list is HTML.')
      rest = readLines(rest + text)
      yield sieve.drain()
      await pace()
    }
    rest += decoder.decode()
    arrived?.(sum, bytes)
    reader.line?.(rest)
    let steps = 0
    for (const _ of reader.end(rest)) {
      if (++steps % 256 !== 0) continue
      yield sieve.drain()
      await pace()
    }
    report = sieve.finish()
    yield sieve.drain()
  }

  /** Gives what is no whole line yet, or all of it to a reader that wants it whole. */
  function readLines(text: string): string {
    if (!reader.line) {
      if (text.length > LONGEST_DOCUMENT) {
        throw refusal('too-large', `The document is longer than ${LONGEST_DOCUMENT} characters.`)
      }
      return text
    }
    let from = 0
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      reader.line(text.slice(from, to))
      from = to + 1
    }
    if (text.length - from > LONGEST_LINE) throw refusal('unreadable', 'A line is too long for one of a list.')
    return text.slice(from)
  }

  const set = await buildIpSet(entries(), { slice: 2 })
  // The generator has ended, or buildIpSet would have rejected.
  return { ...(report ?? sieve.finish()), set, bytes, sum, chunks }
}
