import { checkOptions, invalidOption } from '@ipguard/core'
import type { FeedFormat } from './feed-format.ts'
import { parsePointer } from './json-pointer.ts'

type Check = readonly [test: (value: unknown) => boolean, expected: string, isNeeded?: boolean]

const isIndex = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0 // an integer by the first test
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isFixed = (value: unknown): boolean => parsePointer(value)?.includes('*') === false

const INDEX: Check = [isIndex, 'a column, from 0']
const COLUMN: Check = [(value) => isIndex(value) || isText(value), 'a column, from 0, or its name']
const TEXT: Check = [isText, 'a text']
const POINTER: Check = [isFixed, "a JSON pointer without '*', like '/cidr'"]

const FIELDS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  text: {
    column: INDEX,
    threshold: [isThreshold, '{ column: 1, atLeast: 3 }'],
    label: [(value) => isIndex(value) || value === 'comment', "a column, from 0, or 'comment'"],
    end: TEXT,
    date: TEXT,
  },
  csv: {
    column: [COLUMN[0], COLUMN[1], true],
    separator: [(value) => typeof value === 'string' && value.length === 1 && value !== '"', 'one character'],
    label: COLUMN,
    end: TEXT,
    date: TEXT,
  },
  ndjson: {
    field: [isFixed, POINTER[1], true],
    label: POINTER,
    metadata: [isMetadata, "{ field: '/type', value: 'metadata', records: '/records' }"],
  },
  json: {
    pointers: [arePointers, "JSON pointers, like ['/prefixes/*/ip_prefix']", true],
    where: [(value) => typeof value === 'function', 'a function'],
    label: POINTER,
    date: POINTER,
    others: [(value) => value === 'bad' || value === 'skip', "'bad' or 'skip'"],
  },
}

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN` */
export function checkFormat(format: FeedFormat, option: string): FeedFormat {
  if (format === 'text') return format
  const type: unknown = typeof format === 'object' && format !== null ? format.type : undefined
  const fields = typeof type === 'string' && Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined
  if (!fields) {
    throw invalidOption(option, type ?? format, "'text', or an object with a type: 'text', 'csv', 'ndjson' or 'json'")
  }
  checkOptions(format, ['type', ...Object.keys(fields)], option)
  for (const [name, [test, expected, isNeeded]] of Object.entries(fields)) {
    const value = (format as unknown as Readonly<Record<string, unknown>>)[name] // one of its options, or absent
    if (value === undefined ? isNeeded : !test(value)) throw invalidOption(`${option}.${name}`, value, expected)
  }
  return format
}

function isThreshold(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { column, atLeast } = value as { readonly column?: unknown; readonly atLeast?: unknown } // read, and tested
  return isIndex(column) && typeof atLeast === 'number' && Number.isFinite(atLeast)
}

function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { field, value: word, records, date } = value as Readonly<Record<string, unknown>> // read, and tested
  return isFixed(field) && isText(word) && [records, date].every((each) => each === undefined || isFixed(each))
}

function arePointers(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((each) => parsePointer(each) !== undefined && each !== '')
  )
}
