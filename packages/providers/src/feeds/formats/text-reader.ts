import { refusal } from '../refusal.ts'
import type { FeedSink, FormatReader, TextFormat } from './feed-format.ts'
import { createTrailer } from './trailer.ts'

const RANGE = /^([\d.:a-f]{2,45})\s*-\s*([\d.:a-f]{2,45})(?=\s|$)/i

/** Reads lines of addresses. */
export function createTextReader(
  { column = 0, threshold, label, end, date }: Omit<TextFormat, 'type'>,
  sink: FeedSink,
): FormatReader {
  const trailer = createTrailer(end)
  const isPlain = column === 0 && threshold === undefined && typeof label !== 'number'
  let records = 0

  const comment = (line: string): void => {
    if (trailer.meets(line)) return
    if (date !== undefined && line.startsWith(date)) sink.dated(line.slice(date.length))
  }

  return {
    line(raw) {
      const line = raw.trim()
      const first = line.charCodeAt(0)
      if (line === '') return
      if (first === 35 || first === 59) return comment(line)
      if (first === 60) throw refusal('html', 'The list is HTML, or has tags in it.')
      records++
      const cut = line.search(/[#;]/)
      const content = cut < 0 ? line : line.slice(0, cut).trimEnd()
      const range = content.includes('-') ? RANGE.exec(content) : null
      if (range && column === 0) return sink.take(`${range[1]}-${range[2]}`)
      if (isPlain) {
        const space = content.search(/\s/)
        const detail = label === 'comment' && cut >= 0 ? line.slice(cut + 1).trim() : undefined
        return sink.take(space < 0 ? content : content.slice(0, space), detail)
      }
      const words = content.split(/\s+/)
      if (threshold) {
        const word = words[threshold.column] ?? ''
        if (!/^\d+(\.\d+)?$/.test(word)) return sink.bad(line)
        if (Number(word) < threshold.atLeast) return sink.skip()
      }
      const detail = label === 'comment' ? line.slice(cut + 1).trim() : label === undefined ? undefined : words[label]
      sink.take(words[column] ?? '', detail)
    },
    end() {
      trailer.check(records)
      return []
    },
  }
}
