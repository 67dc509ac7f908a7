import { describe, expect, test } from 'vitest'
import { type Feed, type FeedOptions, type FeedOutcome, feed, type RefusalReason } from '../../src/feeds/index.ts'
import { addresses, collected, type HandClock, handClock, type MemoryCache, memoryCache, sample } from './feed-parts.ts'
import { type Answer, type ListServer, listServer, text } from './list-server.ts'

const LIST = addresses(1000)
const DAY = 86_400_000

const bad: readonly (readonly [name: string, answer: Answer, reason: RefusalReason, message: string])[] = [
  ['corrupt', text(LIST.replaceAll('.7\n', '.7x\n')), 'bad-lines', 'records are no addresses, such as "20.'],
  [
    'binary',
    text(Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7919) & 255)),
    'bad-lines',
    'records are no addresses',
  ],
  ['0.2 % bad lines', text(`${LIST}x\ny\n`), 'bad-lines', '2 of 1002 records are no addresses, such as "x"'],
  ['cut to a third', text(LIST.split('\n').slice(0, 333).join('\n')), 'shrunk', 'more than 50 % are gone'],
  ['empty', text(''), 'empty', 'The list has no entry.'],
  ['of comments only', text('# nothing today\n\n; at all\n'), 'empty', 'The list has no entry.'],
  [
    'of special ranges only',
    text('10.0.0.0/8\n127.0.0.1\n224.0.0.0/3\nfe80::/10\n'),
    'empty',
    'The list has no entry.',
  ],
  [
    'HTML with 200',
    text('<!doctype html>\n<html><body>Please log in</body></html>', { 'content-type': 'text/html' }),
    'html',
    'HTML',
  ],
  ['HTML behind blanks', text('\r\n\t <p>1.2.3.4\n'), 'html', 'HTML'],
  ['HTML in the middle', text(`${LIST}<a href="/">5.6.7.8</a>\n`), 'html', 'HTML'],
  [
    '50 times as large',
    text(addresses(50_000)),
    'grown',
    'has 50000 entries, and had 1000: more than 10 times as many',
  ],
  [
    '0.0.0.0/0',
    text(`${LIST}0.0.0.0/0\n`),
    'too-broad',
    'Entry 1001 is "0.0.0.0/0": no block wider than /8 is believed',
  ],
  ['::/0', text(`${LIST}::/0\n`), 'too-broad', 'no block wider than /19'],
  ['everything as a range', text(`${LIST}0.0.0.0-255.255.255.255\n`), 'too-broad', '"0.0.0.0/0"'],
  ['everything in two', text(`${LIST}0.0.0.0/1\n128.0.0.0/1\n`), 'too-broad', '"0.0.0.0/1"'],
  [
    'everything in /8',
    text(Array.from({ length: 224 }, (_, i) => `${i}.0.0.0/8\n`).join('')),
    'too-broad',
    'more than half',
  ],
  ['a /7', text(`${LIST}16.0.0.0/7\n`), 'too-broad', '"16.0.0.0/7"'],
  [
    'a week old',
    text(LIST.replace('20.0.0.7', '20.9.9.9'), { 'last-modified': 'Sat, 15 Aug 2026 11:00:00 GMT' }),
    'older',
    'The list is of 2026-08-15T11:00:00.000Z',
  ],
  ['one line without end', text('1'.repeat(100_000)), 'unreadable', 'too long'],
]

const good = text(LIST, { 'last-modified': 'Sat, 22 Aug 2026 11:00:00 GMT', etag: '"1"' })

interface Rig {
  readonly server: ListServer
  readonly clock: HandClock
  readonly cache: MemoryCache
  readonly outcomes: FeedOutcome[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  readonly feed: Feed
}

async function rig(server: ListServer, cache: MemoryCache, options: Partial<FeedOptions> = {}): Promise<Rig> {
  const clock = options.clock ?? handClock()
  const { warnings, onWarning } = collected()
  const made = feed({ name: 'ours', url: server.url, refresh: '1h', cache, onWarning, ...options, clock })
  const outcomes: FeedOutcome[] = []
  for (const type of ['loaded', 'unchanged', 'refused', 'failed'] as const)
    made.on(type, (event) => outcomes.push(event))
  return { server, clock: clock as HandClock, cache, outcomes, warnings, feed: made }
}

describe('what is not to be believed never replaces a good list', () => {
  test.each(bad)(
    '%s: the list in use stays, and event, status and warning say why',
    async (_, answer, reason, message) => {
      await using server = await listServer(good)
      const it = await rig(server, memoryCache())
      await it.feed.ready()
      const before = it.feed.current
      expect(before?.size).toBe(1000)
      server.answer = answer

      const outcome = await it.feed.refresh()
      expect(outcome).toMatchObject({
        type: 'refused',
        code: 'IPGUARD_FEED_REFUSED',
        reason,
        feed: 'ours',
        from: 'source',
      })
      expect(outcome).toMatchObject({ message: expect.stringContaining(message) })
      expect(it.outcomes.at(-1)).toBe(outcome)
      expect(it.feed.current).toBe(before)
      expect(it.feed.status()).toMatchObject({
        state: 'ready',
        entries: 1000,
        failures: 1,
        error: { code: 'IPGUARD_FEED_REFUSED', reason, message: expect.stringContaining(message) },
      })
      expect(it.warnings).toEqual([
        {
          code: 'IPGUARD_FEED_REFUSED',
          message: expect.stringMatching(/^Feed ours: .*The list of before stays in use\.$/s),
        },
      ])
      await it.feed.close()
    },
  )

  test.each(bad)('%s: the list of before a restart stays too', async (_, answer, reason) => {
    await using server = await listServer(good)
    const first = await rig(server, memoryCache())
    await first.feed.refresh()
    await first.feed.close()

    server.answer = answer
    const it = await rig(server, first.cache)
    const outcome = await it.feed.refresh()
    expect(it.outcomes).toEqual([expect.objectContaining({ type: 'loaded', from: 'cache', entries: 1000 }), outcome])
    expect(outcome).toMatchObject({ type: 'refused', reason })
    expect(it.feed.current?.size).toBe(1000)
    expect(it.feed.status()).toMatchObject({ state: 'ready', error: { reason } })
    expect(it.cache.bytes).toEqual(first.cache.bytes)
    await it.feed.close()
  })

  test.each(bad.filter(([, , reason]) => !['shrunk', 'grown', 'older'].includes(reason)))(
    '%s: as the first list it is refused as well',
    async (_, answer, reason) => {
      await using server = await listServer(answer)
      const it = await rig(server, memoryCache())
      await expect(it.feed.ready()).rejects.toMatchObject({ code: 'IPGUARD_FEED_REFUSED', reason })
      expect(it.feed.current).toBeUndefined()
      expect(it.feed.status()).toMatchObject({ state: 'empty-handed', entries: 0, failures: 1, error: { reason } })
      expect(it.cache.saves).toBe(0)
      await it.feed.close()
    },
  )

  test('a good list is taken again afterwards, and the warning may be given anew', async () => {
    await using server = await listServer(good)
    const it = await rig(server, memoryCache())
    await it.feed.ready()
    for (const answer of [text(''), text('<p>'), text(addresses(1100)), text('')]) {
      server.answer = answer
      await it.feed.refresh()
    }
    expect(it.outcomes.map(({ type }) => type)).toEqual(['loaded', 'refused', 'refused', 'loaded', 'refused'])
    expect(it.warnings.length).toBe(2)
    expect(it.feed.current?.size).toBe(1100)
    await it.feed.close()
  })

  test('with force a list is taken whatever its size, and still not when it is nothing but HTML', async () => {
    await using server = await listServer(good)
    const it = await rig(server, memoryCache())
    await it.feed.ready()
    server.answer = text(addresses(20_000))
    expect(await it.feed.refresh()).toMatchObject({ reason: 'grown' })
    expect(await it.feed.refresh({ force: true })).toMatchObject({ type: 'loaded', entries: 20_000 })
    server.answer = text('<p>')
    expect(await it.feed.refresh({ force: true })).toMatchObject({ reason: 'html' })
    await it.feed.close()
  })

  test('the limits are options', async () => {
    await using server = await listServer(good)
    const { clock } = await rig(server, memoryCache())
    const options = { maxGrowth: 60, maxShrink: 1, allowEmpty: true, maxBad: 0.01, minPrefix: { v4: 1 } } as const
    const it = await rig(server, memoryCache(), { ...options, clock })
    await it.feed.ready()
    for (const [body, entries] of [
      [addresses(50_000), 50_000],
      [`${LIST}x\ny\n`, 1000],
      [`${LIST}16.0.0.0/4\n`, 1001],
      ['# none\n', 0],
      [LIST, 1000],
    ] as const) {
      server.answer = text(body)
      expect(await it.feed.refresh()).toMatchObject({ type: 'loaded', entries })
    }
    await it.feed.close()
    const small = await rig(server, memoryCache(), { maxEntries: 999 })
    expect(await small.feed.refresh()).toMatchObject({ reason: 'too-many' })
    const short = await rig(server, memoryCache(), { maxBytes: 5000 })
    expect(await short.feed.refresh()).toMatchObject({ reason: 'too-large' })
    await Promise.all([small.feed.close(), short.feed.close()])
  })
})

test('up to 0.1 % bad lines are dropped, counted and shown', async () => {
  await using server = await listServer(text(`${LIST}not an address\n`))
  const it = await rig(server, memoryCache(), {})
  expect(await it.feed.refresh()).toMatchObject({ type: 'loaded', entries: 1000, bad: 1 })
  expect(it.feed.status().bad).toEqual({ count: 1, sample: ['"not"'] })
  await it.feed.close()
})

test('special ranges are taken out of a list, also out of blocks that hold more, and counted', async () => {
  const bogons = [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/15',
    '224.0.0.0/3',
    '::1',
    '2001:db8::/31',
  ]
  await using server = await listServer(text(`${sample('firehol-level1.netset')}${bogons.join('\n')}\n`))
  const it = await rig(server, memoryCache())
  expect(await it.feed.refresh()).toMatchObject({ type: 'loaded', entries: 13, special: 9 })
  const set = it.feed.current
  for (const ip of ['10.1.2.3', '127.0.0.1', '172.20.0.1', '192.168.1.1', '100.64.0.1', '::1', '2001:db8::1']) {
    expect(set?.has(ip), ip).toBe(false)
  }
  expect(set?.lookup('192.169.0.1')).toEqual({ cidr: '192.169.0.0/16', label: 'ours' })
  expect(set?.has('2001:db9::1')).toBe(true)
  expect(it.feed.status().special).toBe(9)
  await it.feed.close()
})

describe('a list with a date to come', () => {
  const format = { type: 'text', date: '# Generated:' } as const
  const AHEAD = 'Fri, 22 Aug 2036 11:00:00 GMT'
  const NOW = 'Sat, 22 Aug 2026 11:00:00 GMT'
  test.each([
    ['of the server', text(LIST, { 'last-modified': AHEAD }), text(addresses(1001), { 'last-modified': NOW })],
    [
      'of its own',
      text(`# Generated: 2036-08-22 10:00:00 UTC\n${LIST}`, { 'last-modified': NOW }),
      text(`# Generated: 2026-08-22 10:00:00 UTC\n${addresses(1001)}`, { 'last-modified': NOW }),
    ],
  ])('%s does not keep later ones away, now or after a restart', async (_, ahead, later) => {
    await using server = await listServer(ahead)
    const first = await rig(server, memoryCache(), { format })
    await first.feed.refresh()
    const cache = memoryCache(first.cache.bytes)
    server.answer = later
    expect(await first.feed.refresh()).toMatchObject({ type: 'loaded', entries: 1001 })
    await first.feed.close()
    const second = await rig(server, cache, { format })
    await second.feed.ready()
    expect(second.feed.current?.size).toBe(1000)
    expect(await second.feed.refresh()).toMatchObject({ type: 'loaded', entries: 1001 })
    // What comes after the mistake is held to its date again.
    server.answer = text(`# Generated: 2026-08-01 10:00:00 UTC\n${addresses(1002)}`, {
      'last-modified': 'Sat, 01 Aug 2026 11:00:00 GMT',
    })
    expect(await second.feed.refresh()).toMatchObject({ type: 'refused', reason: 'older' })
    await second.feed.close()
  })

  test('is not asked for by that date', async () => {
    const asked: (string | undefined)[] = []
    await using server = await listServer((request, response) => {
      asked.push(request.headers['if-modified-since'])
      response.writeHead(200, { 'last-modified': asked.length < 3 ? AHEAD : NOW }).end(addresses(1000 + asked.length))
    })
    const it = await rig(server, memoryCache())
    for (let i = 0; i < 4; i++) await it.feed.refresh()
    expect(asked).toEqual([undefined, undefined, undefined, NOW])
    await it.feed.close()
  })
})

describe('a list that grows old', () => {
  test('stays in use and says so, once, when its source has not confirmed it for a week', async () => {
    await using server = await listServer(good)
    const it = await rig(server, memoryCache(), { refresh: '1d' })
    await it.feed.ready()
    server.answer = text('')
    it.clock.advance(7 * DAY)
    expect(it.feed.status()).toMatchObject({ state: 'ready', age: 7 * DAY })
    it.clock.advance(1)
    await it.feed.refresh()
    await it.feed.refresh()
    expect(it.feed.status()).toMatchObject({ state: 'stale', age: 7 * DAY + 1, entries: 1000 })
    expect(it.feed.current?.has('20.0.0.7')).toBe(true)
    expect(it.warnings.filter(({ code }) => code === 'IPGUARD_FEED_STALE')).toEqual([
      {
        code: 'IPGUARD_FEED_STALE',
        message: 'The list of feed ours was last confirmed by its source 7.0 days ago. It stays in use.',
      },
    ])
    server.answer = good
    await it.feed.refresh()
    expect(it.feed.status().state).toBe('ready')
    await it.feed.close()
  })

  test('says so after a restart, from the cache', async () => {
    await using server = await listServer(good)
    const first = await rig(server, memoryCache())
    await first.feed.refresh()
    await first.feed.close()
    server.answer = (_, response) => response.destroy()
    const it = await rig(server, first.cache, { clock: handClock(first.clock.now() + 8 * DAY) })
    await it.feed.refresh()
    expect(it.feed.status()).toMatchObject({ state: 'stale', age: 8 * DAY, error: { code: 'IPGUARD_FEED_FAILED' } })
    expect(it.feed.current?.has('20.0.0.7')).toBe(true)
    expect(it.warnings.map(({ code }) => code)).toEqual(['IPGUARD_FEED_STALE', 'IPGUARD_FEED_FAILED'])
    await it.feed.close()
  })

  test('says so by its own date, when the source goes on serving it', async () => {
    const format = { type: 'text', date: '# Generated:' } as const
    await using server = await listServer(text(`# Generated: 2026-08-14 10:00:00 UTC | Entries: 1000\n${LIST}`))
    const it = await rig(server, memoryCache(), { format })
    expect(await it.feed.refresh()).toMatchObject({ type: 'loaded', entries: 1000 })
    expect(it.feed.status()).toMatchObject({ state: 'stale', sourceDate: Date.UTC(2026, 7, 14, 10), age: 0 })
    expect(it.warnings).toEqual([
      {
        code: 'IPGUARD_FEED_STALE',
        message: 'The list of feed ours is by its own date 8.1 days old. It stays in use.',
      },
    ])
    server.answer = text(`# Generated: 2026-08-10 10:00:00 UTC\n${LIST}20.200.0.1\n`)
    expect(await it.feed.refresh()).toMatchObject({ type: 'refused', reason: 'older' })
    await it.feed.close()
  })
})
