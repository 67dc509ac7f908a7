import { refusal } from '../refusal.ts'
import type { CsvFormat, FeedSink, FormatReader } from './feed-format.ts'
import { createTrailer } from './trailer.ts'

/** Reads records of separated values, one a line. */
export function createCsvReader(
  { column, separator = ',', label, end, date }: Omit<CsvFormat, 'type'>,
  sink: FeedSink,
): FormatReader {
  const trailer = createTrailer(end)
  let header: readonly string[] | undefined
  let records = 0
  const hasHeader = typeof column === 'string' || typeof label === 'string'

  const columnOf = (values: readonly string[], where: number | string): string | undefined =>
    values[typeof where === 'number' ? where : (header?.indexOf(where) ?? -1)]

  return {
    line(raw) {
      const line = raw.trim()
      if (line === '') return
      if (line.startsWith('#')) {
        if (!trailer.meets(line) && date !== undefined && line.startsWith(date)) sink.dated(line.slice(date.length))
        return
      }
      if (line.startsWith('<')) throw refusal('html', 'The list is HTML, or has tags in it.')
      const values = splitRecord(line, separator)
      if (hasHeader && !header) {
        header = values
        for (const name of [column, label]) {
          if (typeof name !== 'string' || values.includes(name)) continue
          throw refusal('unreadable', `The first record does not name a column ${JSON.stringify(name)}.`)
        }
        return
      }
      records++
      const address = columnOf(values, column)
      if (address === undefined) return sink.bad(line)
      sink.take(address, label === undefined ? undefined : columnOf(values, label))
    },
    end() {
      trailer.check(records)
      return []
    },
  }
}

/** RFC 4180, within one line: a value may be in quotes, and two quotes in it are one. */
function splitRecord(line: string, separator: string): readonly string[] {
  if (!line.includes('"')) return line.split(separator).map((value) => value.trim())
  const values: string[] = []
  let value = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? ''
    if (char === '"' && quoted && line[i + 1] === '"') value += line[++i] ?? ''
    else if (char === '"') quoted = !quoted
    else if (char === separator && !quoted) {
      values.push(value.trim())
      value = ''
    } else value += char
  }
  return [...values, value.trim()]
}
