import type { IpGuardError } from '@ipguard/core'
import { expect, test } from 'vitest'
import { type FeedOptions, feed } from './index.ts'

const base = { name: 'x', url: 'https://lists.example/x' }

test.each<readonly [string, object]>([
  ['feed.name is undefined', { ...base, name: undefined }],
  ['feed.name is "a b"', { ...base, name: 'a b' }],
  ['feed.label is "ü"', { ...base, label: 'ü' }],
  ['feed.url is undefined. Write exactly one of url, file and source', { name: 'x' }],
  ['exactly one of url, file and source', { ...base, file: 'x' }],
  ['feed.url is "http://lists.example"', { ...base, url: 'http://lists.example/x?key=canary' }],
  ['feed.url is "no URL"', { ...base, url: 'canary' }],
  ['feed.url is', { ...base, url: 'https://user:canary@lists.example/' }],
  ['feed.file is ""', { name: 'x', file: '' }],
  ['feed.source is 5', { name: 'x', source: 5 }],
  ['feed.fetch is 5', { ...base, fetch: 5 }],
  ['feed.onWarning is 5', { ...base, onWarning: 5 }],
  ['feed.cache.save is undefined', { ...base, cache: { load: () => undefined } }],
  ['feed.headers is', { ...base, headers: { a: 1 } }],
  ...['canary\nx', 'canary\r\n', 'canary\u0000', 'canary\u2028', 'canary ü €'].map(
    (value) => ['feed.headers is "something that cannot be sent"', { ...base, headers: { 'x-key': value } }] as const,
  ),
  ['feed.headers is "something that cannot be sent"', { ...base, headers: { 'x canary': 'a' } }],
  ['feed.refresh is not a duration', { ...base, refresh: 'soon' }],
  ['feed.refresh is "1m". Write at least 60001 ms', { ...base, refresh: '1m', minInterval: 60_001 }],
  ['feed.staleAfter is "1h". Write at least as long as refresh', { ...base, staleAfter: '1h' }],
  ['feed.allowEmpty is "no"', { ...base, allowEmpty: 'no' }],
  ['feed.minPrefix.v4 is 0', { ...base, minPrefix: { v4: 0 } }],
  ['feed.minPrefix.v6 is 129', { ...base, minPrefix: { v6: 129 } }],
  ['feed.minPrefix has no option "v5"', { ...base, minPrefix: { v5: 8 } }],
  ['feed.maxBytes is 0', { ...base, maxBytes: 0 }],
  ['feed.maxEntries is NaN', { ...base, maxEntries: Number.NaN }],
  ['feed.maxBad is 5', { ...base, maxBad: 5 }],
  ['feed.maxGrowth is 0.5', { ...base, maxGrowth: 0.5 }],
  ['feed.maxShrink is 2', { ...base, maxShrink: 2 }],
  ['feed has no option "urll". Did you mean "url"?', { ...base, urll: 'x' }],
  ['feed.format is "yaml"', { ...base, format: 'yaml' }],
  ['feed.format is "yaml"', { ...base, format: { type: 'yaml' } }],
  ['feed.format is null', { ...base, format: null }],
  ['feed.format has no option "colum". Did you mean "column"?', { ...base, format: { type: 'text', colum: 1 } }],
  ['feed.format.column is -1', { ...base, format: { type: 'text', column: -1 } }],
  ['feed.format.threshold is', { ...base, format: { type: 'text', threshold: { column: 1 } } }],
  ['feed.format.column is undefined', { ...base, format: { type: 'csv' } }],
  ['feed.format.separator is ", "', { ...base, format: { type: 'csv', column: 1, separator: ', ' } }],
  ['feed.format.field is "cidr"', { ...base, format: { type: 'ndjson', field: 'cidr' } }],
  ['feed.format.metadata is', { ...base, format: { type: 'ndjson', field: '/cidr', metadata: { field: '/a' } } }],
  ['feed.format.pointers is an array of 0', { ...base, format: { type: 'json', pointers: [] } }],
  ['feed.format.pointers is an array of 1', { ...base, format: { type: 'json', pointers: ['a'] } }],
  ['feed.format.label is "/*/a"', { ...base, format: { type: 'json', pointers: ['/a/*'], label: '/*/a' } }],
  ['feed.format.where is 1', { ...base, format: { type: 'json', pointers: ['/a/*'], where: 1 } }],
  ['feed.format.others is "maybe"', { ...base, format: { type: 'json', pointers: ['/a/*'], others: 'maybe' } }],
])('%s', (message, options) => {
  let thrown: unknown
  try {
    feed(options as FeedOptions)
  } catch (error) {
    thrown = error
  }
  expect((thrown as IpGuardError | undefined)?.code).toMatch(/^IPGUARD_(OPTION|DURATION)_/)
  expect(String(thrown)).toContain(message)
  expect(String(thrown)).not.toContain('canary')
})

test.each([
  base,
  { ...base, url: 'https://lists.example/x?key=1' },
  { ...base, url: 'http://127.0.0.1:8080/x' },
  { ...base, url: 'http://localhost/x' },
  { ...base, headers: { 'x-key': 'Bearer a\tü', accept: '' } },
  { ...base, maxGrowth: Number.POSITIVE_INFINITY, minPrefix: {}, refresh: '30d' },
] satisfies FeedOptions[])('%j is fine', (options) => {
  expect(feed(options).status().state).toBe('idle')
})
