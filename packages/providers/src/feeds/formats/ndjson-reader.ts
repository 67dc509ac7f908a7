import { refusal } from '../refusal.ts'
import type { FeedSink, FormatReader, NdjsonFormat } from './feed-format.ts'
import { parsePointer, valueAt } from './json-pointer.ts'

/** Reads a JSON object from each line. */
export function createNdjsonReader(
  { field, label, metadata }: Omit<NdjsonFormat, 'type'>,
  sink: FeedSink,
): FormatReader {
  // Checked when the feed was made.
  const steps = (pointer: string | undefined): readonly string[] => parsePointer(pointer ?? '') ?? []
  const [address, detail, kind] = [steps(field), steps(label), steps(metadata?.field)]
  const [counted, dated] = [steps(metadata?.records), steps(metadata?.date)]
  let records = 0
  let isWhole = metadata === undefined

  const meets = (record: unknown): boolean => {
    if (metadata === undefined || valueAt(record, kind) !== metadata.value) return false
    const count = metadata.records === undefined ? records : valueAt(record, counted)
    if (count !== records) {
      throw refusal('truncated', `The list says that it has ${String(count)} records, and ${records} came.`)
    }
    if (metadata.date !== undefined) sink.dated(valueAt(record, dated))
    isWhole = true
    return true
  }

  return {
    line(raw) {
      const line = raw.trim()
      if (line === '') return
      if (line.startsWith('<')) throw refusal('html', 'The list is HTML, or has tags in it.')
      const record = parseRecord(line)
      if (record !== undefined && meets(record)) return
      records++
      const value = valueAt(record, address)
      const text = label === undefined ? undefined : valueAt(record, detail)
      if (typeof value !== 'string') return sink.bad(line)
      sink.take(value, typeof text === 'string' ? text : undefined)
    },
    end() {
      if (!isWhole) throw refusal('truncated', 'The record that ends the list is missing: it was truncated.')
      return []
    },
  }
}

function parseRecord(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
