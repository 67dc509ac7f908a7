import { createCsvReader } from './csv-reader.ts'
import type { FeedFormat, FeedSink, FormatReader } from './feed-format.ts'
import { createJsonReader } from './json-reader.ts'
import { createNdjsonReader } from './ndjson-reader.ts'
import { createTextReader } from './text-reader.ts'

/** A reader for one document. */
export function createReader(format: FeedFormat, sink: FeedSink): FormatReader {
  if (format === 'text') return createTextReader({}, sink)
  switch (format.type) {
    case 'text':
      return createTextReader(format, sink)
    case 'csv':
      return createCsvReader(format, sink)
    case 'ndjson':
      return createNdjsonReader(format, sink)
    case 'json':
      return createJsonReader(format, sink)
  }
}
