import { parseEntry } from '../parse-entry.ts'
import { refusal } from '../refusal.ts'
import type { FeedRecord, FeedSink, FormatReader, JsonFormat } from './feed-format.ts'
import { parsePointer, stepInto, valueAt } from './json-pointer.ts'

/** Reads one JSON document, which is parsed at once, in about 3 ms for each MB: its cap is lower than that of lines. */
export function createJsonReader(
  { pointers, where, label, date, others = 'bad' }: Omit<JsonFormat, 'type'>,
  sink: FeedSink,
): FormatReader {
  // Checked when the feed was made.
  const paths = pointers.map((pointer) => parsePointer(pointer) ?? [])
  const detail = label === undefined ? undefined : parsePointer(label)

  const take = (value: unknown, record: unknown): void => {
    if (typeof value === 'string' && (others === 'bad' || parseEntry(value) !== undefined)) {
      const text = detail && valueAt(record, detail)
      sink.take(value, typeof text === 'string' ? text : undefined)
    } else if (others === 'bad') sink.bad(JSON.stringify(value) ?? '')
    else sink.skip()
  }

  /** Follows a path; each `*` is a fork. A step that leads nowhere is no error: records of one list need not be alike. */
  function* walk(
    value: unknown,
    path: readonly string[],
    at: number,
    record: unknown,
  ): Generator<void, void, undefined> {
    const step = path[at]
    if (value === undefined) return
    if (step === undefined) take(value, record)
    else if (step !== '*') yield* walk(stepInto(value, step), path, at + 1, record)
    else if (typeof value === 'object' && value !== null) {
      for (const item of Object.values(value) as readonly unknown[]) {
        yield
        // A record that is asked about is an object; an address by itself has no fields.
        const own = record ?? (typeof item === 'object' && item !== null ? item : {})
        if (record === undefined && where && !where(own as FeedRecord)) continue
        yield* walk(item, path, at + 1, own)
      }
    }
  }

  return {
    *end(text) {
      let document: unknown
      try {
        document = JSON.parse(text)
      } catch {
        // What JSON.parse throws quotes the text.
        throw refusal(
          'unreadable',
          `The document of ${text.length} characters is no JSON: truncated, or something else.`,
        )
      }
      if (paths.every((path) => rootOf(document, path) === undefined)) {
        throw refusal('unreadable', `The document has nothing at ${pointers.join(' or ')}.`)
      }
      if (date !== undefined) sink.dated(valueAt(document, parsePointer(date) ?? []))
      for (const path of paths) yield* walk(document, path, 0, undefined)
    },
  }
}

/** What stands before the first `*`. */
function rootOf(document: unknown, path: readonly string[]): unknown {
  const star = path.indexOf('*')
  return valueAt(document, star < 0 ? path : path.slice(0, star))
}
