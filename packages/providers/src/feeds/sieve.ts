import { describe, type Prefix, subtractSpecial } from '@ipguard/core'
import type { FeedSink } from './formats/feed-format.ts'
import { blockText, parseEntry } from './parse-entry.ts'
import { refusal } from './refusal.ts'

export interface SieveOptions {
  readonly label: string
  /** Of all records, those that may be bad. */
  readonly maxBad: number
  readonly maxEntries: number
  readonly minPrefix: { readonly v4: number; readonly v6: number }
}

/** What a list is found to be. */
export interface SieveReport {
  /** Records: entries, bad ones, and those that the format passed over. */
  readonly records: number
  readonly bad: number
  /** The first few bad ones, shortened. */
  readonly badSample: readonly string[]
  /** Entries that lay wholly or partly in special ranges, and were dropped or cut. */
  readonly special: number
  /** Epoch ms, as the list says. */
  readonly date: number | undefined
}

export interface LabelledEntry {
  readonly cidr: string
  readonly label: string
}

export interface Sieve extends FeedSink {
  /** The entries since the last call. */
  drain(): readonly LabelledEntry[]
  /** Throws a refusal when there are too many bad records; else says what was found. */
  finish(): SieveReport
}

const SAMPLE = 5
/** Labels of their own: a list could make one for each entry. */
const MOST_LABELS = 65_536

/**
 * Lets through what may stand in a list: addresses and blocks that are not too broad, without the special ranges in them. Bad records are
 * counted; one that would hold half the Internet refuses the list.
 */
export function createSieve({ label, maxBad, maxEntries, minPrefix }: SieveOptions): Sieve {
  const labels = new Map<string, string>()
  const badSample: string[] = []
  const mostBad = maxBad * maxEntries
  let batch: LabelledEntry[] = []
  let records = 0
  let bad = 0
  let special = 0
  let entries = 0
  let covered = 0
  let date: number | undefined

  const labelOf = (detail: string | undefined): string => {
    if (detail === undefined) return label
    const known = labels.get(detail)
    if (known !== undefined) return known
    // Text of others, which goes into decisions and logs: short and plain, or left out.
    if (labels.size >= MOST_LABELS || !/^[\x21-\x7e][\x20-\x7e]{0,63}$/.test(detail)) return label
    const made = `${label} ${detail}`
    labels.set(detail, made)
    return made
  }

  const noteBad = (text: string): void => {
    bad++
    if (badSample.length < SAMPLE) badSample.push(describe(text))
    if (bad > mostBad) throw tooManyBad(bad, badSample)
  }

  const accept = (prefix: Prefix, text: string, detail: string | undefined): void => {
    const { length } = prefix
    const left = subtractSpecial(prefix)
    const isWhole = left[0] === prefix
    if (!isWhole) special++
    const { family } = prefix.address
    if (left.length > 0 && length < (family === 4 ? minPrefix.v4 : minPrefix.v6)) {
      const least = family === 4 ? minPrefix.v4 : minPrefix.v6
      throw refusal('too-broad', `Entry ${records} is ${describe(text)}: no block wider than /${least} is believed.`)
    }
    entries += left.length
    if (entries > maxEntries) throw refusal('too-many', `The list has more than ${maxEntries} entries.`)
    for (const part of left) {
      if (family === 4) covered += 2 ** (32 - part.length)
      batch.push({ cidr: isWhole ? text : blockText(part), label: labelOf(detail) })
    }
    if (covered > 2 ** 31) throw refusal('too-broad', 'The list holds more than half of all IPv4 addresses.')
  }

  return {
    take(text, detail) {
      records++
      const parsed = parseEntry(text)
      if (parsed === undefined) noteBad(text)
      else if ('length' in parsed && 'address' in parsed) accept(parsed, text, detail)
      else for (const prefix of parsed) accept(prefix, blockText(prefix), detail)
    },
    skip() {
      records++
    },
    bad(text) {
      records++
      noteBad(text)
    },
    dated(value) {
      date ??= readDate(value)
    },
    drain() {
      const drained = batch
      batch = []
      return drained
    },
    finish() {
      if (bad > maxBad * records) throw tooManyBad(bad, badSample, records)
      return { records, bad, badSample, special, date }
    },
  }
}

function tooManyBad(bad: number, sample: readonly string[], records?: number): Error {
  const of = records === undefined ? '' : ` of ${records}`
  return refusal('bad-lines', `${bad}${of} records are no addresses, such as ${sample[0] ?? ''}.`)
}

/** Epoch ms of a date in words, or of seconds or milliseconds. */
function readDate(value: unknown): number | undefined {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d{9,14}$/.test(value))
  const ms = isNumber ? Number(value) * (Number(value) > 1e11 ? 1 : 1000) : parseWords(value)
  return Number.isFinite(ms) && ms > 0 && ms < 1e14 ? ms : undefined
}

function parseWords(value: unknown): number {
  if (typeof value !== 'string' || value.length > 200) return Number.NaN
  const text = value.trim()
  // "2026-08-22 04:30:03 UTC | Entries: 884" and "2024-04-04 07:03:03 UTC   #"
  const iso = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?: UTC|Z)?(?=\s|$)/.exec(text)
  return iso ? Date.parse(`${iso[1]}T${iso[2]}Z`) : Date.parse(text)
}
