import { describe, expect, test } from 'vitest'
import { createReader } from './create-reader.ts'
import type { FeedFormat } from './feed-format.ts'

interface Read {
  readonly taken: readonly string[]
  readonly skipped: number
  readonly bad: readonly string[]
  readonly dates: readonly unknown[]
}

function read(format: FeedFormat, text: string): Read {
  const taken: string[] = []
  const bad: string[] = []
  const dates: unknown[] = []
  let skipped = 0
  const reader = createReader(format, {
    take: (entry, detail) => void taken.push(detail === undefined ? entry : `${entry} [${detail}]`),
    skip: () => void skipped++,
    bad: (each) => void bad.push(each),
    dated: (value) => void dates.push(value),
  })
  if (reader.line) for (const line of text.split('\n')) reader.line(line)
  Array.from(reader.end(text))
  return { taken, skipped, bad, dates }
}

describe('text', () => {
  test.each<readonly [string, FeedFormat, string, Partial<Read>]>([
    [
      'bare lines, CRLF, blanks and both comments',
      'text',
      '# a\r\n1.2.3.4\r\n\r\n  ; b\n\t5.6.7.0/24 \n2001:db8::1',
      { taken: ['1.2.3.4', '5.6.7.0/24', '2001:db8::1'] },
    ],
    [
      'trailing comments, and what stands behind a blank',
      'text',
      '1.2.3.4 # x\n1.2.3.5;y\n1.2.3.6 word\n1.2.3.7\t9',
      { taken: ['1.2.3.4', '1.2.3.5', '1.2.3.6', '1.2.3.7'] },
    ],
    [
      'ranges',
      'text',
      '1.2.3.0-1.2.3.9\n1.2.3.0 - 1.2.3.9 # x\n2001:db8::-2001:db8::f z',
      { taken: ['1.2.3.0-1.2.3.9', '1.2.3.0-1.2.3.9', '2001:db8::-2001:db8::f'] },
    ],
    [
      'a column',
      { type: 'text', column: 1 },
      'ExitAddress 1.2.3.4 2026-01-02\nExitAddress',
      { taken: ['1.2.3.4', ''] },
    ],
    [
      'a threshold',
      { type: 'text', threshold: { column: 1, atLeast: 3 }, label: 1 },
      '1.2.3.4\t3\n1.2.3.5\t2\n1.2.3.6\tx\n1.2.3.7',
      { taken: ['1.2.3.4 [3]'], skipped: 1, bad: ['1.2.3.6\tx', '1.2.3.7'] },
    ],
    [
      'the comment as a label',
      { type: 'text', label: 'comment' },
      '1.2.3.4 ; SBL1\n1.2.3.5',
      { taken: ['1.2.3.4 [SBL1]', '1.2.3.5'] },
    ],
    [
      'its end and its date',
      { type: 'text', end: '; EOF', date: '; Date:' },
      '; Date: 2026-01-01\n1.2.3.4\n; EOF',
      { taken: ['1.2.3.4'], dates: [' 2026-01-01'] },
    ],
    ['an end that counts', { type: 'text', end: '# {n} entries' }, '1.2.3.4\n# 1 entries', { taken: ['1.2.3.4'] }],
  ])('%s', (_, format, text, expected) => {
    expect(read(format, text)).toMatchObject(expected)
  })
})

describe('csv', () => {
  test.each<readonly [string, FeedFormat, string, Partial<Read>]>([
    [
      'by number',
      { type: 'csv', column: 1 },
      'a,1.2.3.4,b\nc,5.6.7.8\nd',
      { taken: ['1.2.3.4', '5.6.7.8'], bad: ['d'] },
    ],
    [
      'by name, with quotes',
      { type: 'csv', column: 'ip', label: 'why' },
      '#x\n"why","ip"\n"a ""b"", c","1.2.3.4"\n',
      { taken: ['1.2.3.4 [a "b", c]'] },
    ],
    ['another separator', { type: 'csv', column: 0, separator: ';' }, '1.2.3.4;x\n', { taken: ['1.2.3.4'] }],
  ])('%s', (_, format, text, expected) => {
    expect(read(format, text)).toMatchObject(expected)
  })

  test('a column that the first record does not name refuses the list', () => {
    expect(() => read({ type: 'csv', column: 'ip' }, 'a,b\n1,2')).toThrow('does not name a column "ip"')
  })
})

describe('ndjson', () => {
  const metadata = { field: '/type', value: 'metadata', records: '/records', date: '/timestamp' }
  test('takes a field of each record, and the last record for what it is', () => {
    const text =
      '{"a":{"ip":"1.2.3.4"}}\n\n{"a":{"ip":5}}\nnonsense\n{"type":"metadata","records":3,"timestamp":1784798042}\n'
    expect(read({ type: 'ndjson', field: '/a/ip', metadata }, text)).toEqual({
      taken: ['1.2.3.4'],
      skipped: 0,
      bad: ['{"a":{"ip":5}}', 'nonsense'],
      dates: [1784798042],
    })
  })

  test('without its last record, or with another count, it is truncated', () => {
    expect(() => read({ type: 'ndjson', field: '/ip', metadata }, '{"ip":"1.2.3.4"}')).toThrow('truncated')
    const short = '{"ip":"1.2.3.4"}\n{"type":"metadata","records":2}'
    expect(() => read({ type: 'ndjson', field: '/ip', metadata }, short)).toThrow('has 2 records, and 1 came')
  })
})

describe('json', () => {
  test.each<readonly [string, FeedFormat, unknown, Partial<Read>]>([
    [
      'items of arrays',
      { type: 'json', pointers: ['/a/*', '/b/*'] },
      { a: ['1.2.3.4'], b: ['::1'] },
      { taken: ['1.2.3.4', '::1'] },
    ],
    [
      'a document that is an array',
      { type: 'json', pointers: ['/*/ip'] },
      [{ ip: '1.2.3.4' }, {}],
      { taken: ['1.2.3.4'] },
    ],
    [
      'values of objects',
      { type: 'json', pointers: ['/*/ips/*'] },
      { x: { ips: ['1.2.3.4'] }, y: 5 },
      { taken: ['1.2.3.4'] },
    ],
    ['one value', { type: 'json', pointers: ['/ip'] }, { ip: '1.2.3.4' }, { taken: ['1.2.3.4'] }],
    ['escaped names', { type: 'json', pointers: ['/a~1b~0c/*'] }, { 'a/b~c': ['1.2.3.4'] }, { taken: ['1.2.3.4'] }],
    [
      'records by a test, with a label',
      { type: 'json', pointers: ['/v/*/ips/*'], where: ({ n }) => n === 2, label: '/n2' },
      { v: [{ n: 1, ips: ['1.1.1.1'] }, null, { n: 2, n2: 'x', ips: ['2.2.2.2'] }] },
      { taken: ['2.2.2.2 [x]'] },
    ],
    [
      'what is no text',
      { type: 'json', pointers: ['/a/*'] },
      { a: [1, null, ['x'], '1.2.3.4'] },
      { taken: ['1.2.3.4'], bad: ['1', 'null', '["x"]'] },
    ],
    [
      'other texts, when they are expected',
      { type: 'json', pointers: ['/a/*'], others: 'skip' },
      { a: ['x', 'abc', '1.2.3.4', 7] },
      { taken: ['1.2.3.4'], skipped: 3 },
    ],
    ['a date', { type: 'json', pointers: ['/a/*'], date: '/t' }, { a: [], t: 5 }, { dates: [5] }],
    [
      'no names of prototypes',
      { type: 'json', pointers: ['/a/*', '/constructor/name', '/__proto__/x'] },
      { a: [] },
      { taken: [], bad: [] },
    ],
  ])('%s', (_, format, document, expected) => {
    expect(read(format, JSON.stringify(document))).toMatchObject(expected)
  })

  test.each([
    ['no JSON', '{"a":["1.2.3.4"'],
    ['nothing where the list should be', '{"b":["1.2.3.4"]}'],
    ['null', 'null'],
  ])('%s refuses the list', (_, text) => {
    expect(() => read({ type: 'json', pointers: ['/a/*'] }, text)).toThrow()
  })
})
