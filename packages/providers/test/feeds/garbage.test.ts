import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FeedFormat, feed } from '../../src/feeds/index.ts'
import { addresses, handClock, memoryCache, sample } from './feed-parts.ts'

const FORMATS: readonly FeedFormat[] = [
  'text',
  { type: 'text', threshold: { column: 1, atLeast: 3 }, label: 1 },
  { type: 'csv', column: 'dst_ip' },
  { type: 'csv', column: 1, separator: ';' },
  { type: 'ndjson', field: '/cidr', label: '/sblid' },
  { type: 'json', pointers: ['/prefixes/*/ip_prefix', '/*/*'], label: '/service' },
]

const SAMPLES = ['feodo.csv', 'spamhaus-drop-v4.ndjson', 'aws.json', 'ipsum.txt', 'firehol-level1.netset'].map((name) =>
  new TextEncoder().encode(sample(name)),
)

/** Bytes without sense, and samples with a part replaced by such. */
const garbage = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.string({ unit: 'binary', maxLength: 1000 }).map((text) => new TextEncoder().encode(text)),
  fc.json({ maxDepth: 4 }).map((text) => new TextEncoder().encode(text)),
  fc
    .tuple(fc.constantFrom(...SAMPLES), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 }))
    .map(([bytes, at, noise]) => {
      const copy = bytes.slice()
      copy.set(noise, at % (bytes.length - noise.length))
      return copy
    }),
)

const chunks = garbage.chain((bytes) =>
  fc.array(fc.nat(bytes.length), { maxLength: 6 }).map((cuts) => {
    const ends = [...cuts, bytes.length].sort((one, other) => one - other)
    return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
  }),
)

/** A good list in each of the formats, longer than twice what the garbage may hold. */
const LINES = addresses(2000).trimEnd().split('\n')
const LISTS: readonly string[] = [
  LINES.join('\n'),
  LINES.map((ip) => `${ip}\t5`).join('\n'),
  `"x","dst_ip"\n${LINES.map((ip) => `1,"${ip}"`).join('\n')}`,
  LINES.map((ip) => `1;${ip}`).join('\n'),
  LINES.map((cidr) => JSON.stringify({ cidr, sblid: 'S' })).join('\n'),
  JSON.stringify({ prefixes: LINES.map((ip_prefix) => ({ ip_prefix, service: 'S' })), more: ['20.200.0.1'] }),
]

test('whatever comes, nothing throws, and a good list is not replaced by it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(FORMATS.length - 1), chunks, async (which, body) => {
      const format = FORMATS[which] ?? 'text'
      let now: Iterable<Uint8Array | string> = [LISTS[which] ?? '']
      const clock = handClock()
      const it = feed({ name: 'x', source: () => now, format, clock, maxBad: 0.5, onWarning: () => undefined })
      await it.refresh()
      const set = it.current
      expect(set?.size).toBeGreaterThanOrEqual(2000)
      now = body
      expect(await it.refresh()).toMatchObject({ type: 'refused', code: 'IPGUARD_FEED_REFUSED' })
      expect(it.current).toBe(set)
      expect(JSON.stringify(it.status()).length).toBeLessThan(4000)
      await it.close()
    }),
    { numRuns: 500 },
  )
}, 60_000)

test('whatever comes first, what is taken are public addresses', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...FORMATS), chunks, async (format, body) => {
      const it = feed({
        name: 'x',
        source: () => body,
        format,
        maxBad: 1,
        clock: handClock(),
        onWarning: () => undefined,
      })
      const outcome = await it.refresh()
      expect(outcome.type).toMatch(/loaded|refused/)
      for (const ip of ['10.0.0.1', '127.0.0.1', '::1', '192.168.1.1', '0.0.0.0', '255.255.255.255', 'fe80::1']) {
        expect(it.current?.has(ip) ?? false).toBe(false)
      }
      await it.close()
    }),
    { numRuns: 1000 },
  )
}, 60_000)

test('random bytes as a cache are ignored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
      const cache = memoryCache(bytes)
      const it = feed({ name: 'x', source: () => ['20.0.0.1'], cache, clock: handClock(), onWarning: () => undefined })
      expect(await it.refresh()).toMatchObject({ type: 'loaded', entries: 1 })
      await it.close()
    }),
    { numRuns: 200 },
  )
})
