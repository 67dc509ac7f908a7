/** What a record of JSON is before it is looked at. */
export type FeedRecord = Readonly<Record<string, unknown>>

/**
 * Lines of an address, a CIDR block or a range `a-b`. Comments from `#` or `;` on, blank lines, CRLF and a byte order mark are skipped.
 */
export interface TextFormat {
  readonly type: 'text'
  /** Which of the words of a line is the address, from 0. @default 0 */
  readonly column?: number
  /** Takes only lines whose number in this column is as large. */
  readonly threshold?: { readonly column: number; readonly atLeast: number }
  /** What labels the entry: a column, or the comment behind it. */
  readonly label?: number | 'comment'
  /** The comment that the last line is: without it the list is truncated. `{n}` in it is the number of entries. */
  readonly end?: string
  /** The beginning of the comment that gives the list's date. */
  readonly date?: string
}

/** Comma-separated values, one record a line. Lines that begin with `#` are comments. */
export interface CsvFormat {
  readonly type: 'csv'
  /** Where the address is: a number from 0, or a name in the first line. */
  readonly column: number | string
  /** One character. @default ',' */
  readonly separator?: string
  /** What labels the entry. */
  readonly label?: number | string
  /** As for text. */
  readonly end?: string
  /** As for text. */
  readonly date?: string
}

/** A JSON object on each line. Pointers are those of RFC 6901: '/cidr'. */
export interface NdjsonFormat {
  readonly type: 'ndjson'
  /** Pointer to the address. */
  readonly field: string
  /** Pointer to what labels the entry. */
  readonly label?: string
  /** The last record, which is none of the list: where it says so, and where it counts and dates the list. Without it the list is truncated. */
  readonly metadata?: {
    readonly field: string
    readonly value: string
    readonly records?: string
    readonly date?: string
  }
}

/** One JSON document. Pointers are those of RFC 6901; `*` as a step stands for every item: `['/ranges/*']` leads to each of an array. */
export interface JsonFormat {
  readonly type: 'json'
  /** Pointers to addresses. */
  readonly pointers: readonly string[]
  /** Takes only what lies in records (what the first `*` stands for) for which this holds. */
  readonly where?: (record: FeedRecord) => boolean
  /** Pointer from the record to what labels the entry. */
  readonly label?: string
  /** Pointer to the document's date: text, or seconds or milliseconds since 1970. */
  readonly date?: string
  /** Texts that are no addresses: bad lines, or expected and skipped. @default 'bad' */
  readonly others?: 'bad' | 'skip'
}

/** How the entries of a feed are written. */
export type FeedFormat = 'text' | TextFormat | CsvFormat | NdjsonFormat | JsonFormat

/** Where a format puts what it reads. */
export interface FeedSink {
  /** An address, a CIDR block or a range `a-b`, with what is known about it. */
  take(text: string, detail?: string): void
  /** A record that is fine and not wanted. */
  skip(): void
  bad(text: string): void
  /** The list's own date, as it gives it. */
  dated(value: unknown): void
}

/** Reads one document; throws a refusal when it is no such document. */
export interface FormatReader {
  /** Absent: the document is read whole, by `end`. */
  readonly line?: (line: string) => void
  /** After the last line; `text` is the whole document for a reader without `line`. Its steps are small: other work may run between them. */
  end(text: string): Iterable<void>
}
