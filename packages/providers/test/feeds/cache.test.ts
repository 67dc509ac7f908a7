import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileSnapshot } from '../../../node/src/file-snapshot.ts'
import { type Feed, type FeedOptions, type FeedOutcome, feed } from '../../src/feeds/index.ts'
import { addresses, collected, handClock, memoryCache } from './feed-parts.ts'
import { listServer, status, text } from './list-server.ts'

const LIST = addresses(1000)
const URL = 'https://lists.example/x'

function make(options: Partial<FeedOptions>): Feed {
  return feed({ name: 'ours', refresh: '1h', clock: handClock(), onWarning: () => undefined, url: URL, ...options })
}

const serve =
  (body: string): typeof fetch =>
  async () =>
    new Response(body, { headers: { etag: '"1"' } })
const away: typeof fetch = () => Promise.reject(new TypeError('offline'))

test('the last good list survives a restart in a file, with its version and its age', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ipguard-feed-'))
  await using server = await listServer(text(LIST, { etag: '"1"' }))
  try {
    const cache = fileSnapshot(join(folder, 'ours.feed'))
    const first = make({ url: server.url, cache })
    await first.refresh()
    await first.close()

    server.answer = status(503)
    const clock = handClock(Date.UTC(2026, 7, 22, 14))
    const second = make({ url: server.url, cache, clock })
    const events: FeedOutcome[] = []
    second.on('loaded', (event) => events.push(event))
    expect(second.current).toBeUndefined()
    await second.ready()
    expect(events).toMatchObject([{ type: 'loaded', from: 'cache', entries: 1000 }])
    expect(second.current?.lookup('20.0.0.7')).toEqual({ cidr: '20.0.0.7/32', label: 'ours' })
    expect(second.status()).toMatchObject({ state: 'ready', age: 2 * 3_600_000, etag: '"1"' })

    server.answer = (request, response) =>
      response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 500).end()
    clock.advance(3_600_000)
    expect(await second.refresh()).toMatchObject({ type: 'unchanged' })
    await second.close()
    // What was confirmed is remembered: a further restart knows it.
    const third = make({ url: server.url, cache, clock, refresh: '2h' })
    await third.ready()
    expect(third.status()).toMatchObject({ age: 0, loadedAt: clock.now() - 3 * 3_600_000 })
    await third.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a young list from the cache is used without asking; the source is asked when its time has come', async () => {
  const cache = memoryCache()
  const first = make({ fetch: serve(LIST), cache })
  await first.refresh()
  await first.close()
  let asked = 0
  const clock = handClock(Date.UTC(2026, 7, 22, 12, 30))
  const fetch = async (): Promise<Response> => {
    asked++
    return new Response(addresses(1001))
  }
  const second = make({ fetch, cache, clock })
  await second.ready()
  expect(asked).toBe(0)
  const loaded = new Promise((resolve) => second.on('loaded', resolve))
  clock.advance(33 * 60_000)
  expect(await loaded).toMatchObject({ from: 'source', entries: 1001 })
  expect(asked).toBe(1)
  await second.close()
})

test.each<readonly [string, (bytes: Uint8Array) => Uint8Array]>([
  ['cut short', (bytes) => bytes.slice(0, bytes.length - 10)],
  ['cut in its head', (bytes) => bytes.slice(0, 30)],
  ['of other bytes', () => new TextEncoder().encode('hello')],
  ['with one bit changed in an address', (bytes) => bytes.with(bytes.length - 100, (bytes.at(-100) ?? 0) ^ 1)],
  ['with one bit changed in its head', (bytes) => bytes.with(60, (bytes[60] ?? 0) ^ 1)],
  ['with something added', (bytes) => Uint8Array.from([...bytes, 49, 10])],
])('a cache %s is not used and reported, and the source is asked', async (_, damage) => {
  const cache = memoryCache()
  const first = make({ fetch: serve(LIST), cache })
  await first.refresh()
  await first.close()
  cache.bytes = damage(cache.bytes ?? new Uint8Array())

  const { warnings, onWarning } = collected()
  const down = make({ fetch: away, cache, onWarning })
  const refused = new Promise((resolve) => down.on('refused', resolve))
  expect(await down.refresh()).toMatchObject({ type: 'failed' })
  expect(await refused).toMatchObject({ from: 'cache', code: 'IPGUARD_SNAPSHOT_DAMAGED', reason: 'damaged' })
  expect(down.current).toBeUndefined()
  expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_SNAPSHOT_DAMAGED', 'IPGUARD_FEED_FAILED'])
  await down.close()

  const up = make({ fetch: serve(LIST), cache })
  expect(await up.refresh()).toMatchObject({ type: 'loaded' })
  await up.close()
  const again = make({ fetch: away, cache })
  await again.ready()
  expect(again.current?.size).toBe(1000)
  await again.close()
})

test('a cache that cannot be read or written is reported, and the feed goes on', async () => {
  const { warnings, onWarning } = collected()
  const broken = { load: () => Promise.reject(new Error('canary')), save: () => Promise.reject(new Error('canary')) }
  const it = make({ fetch: serve(LIST), cache: broken, onWarning })
  expect(await it.refresh()).toMatchObject({ type: 'loaded' })
  await it.refresh()
  expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_SNAPSHOT_DAMAGED', 'IPGUARD_SNAPSHOT_FAILED'])
  expect(JSON.stringify(warnings)).not.toContain('canary')
  await it.close()
})

test('a cache that hangs is reported after the timeout, and the feed goes on', async () => {
  const { warnings, onWarning } = collected()
  const clock = handClock()
  const hung = { load: () => new Promise<never>(() => {}), save: () => new Promise<never>(() => {}) }
  const it = make({ fetch: serve(LIST), cache: hung, onWarning, clock, timeout: '20s' })
  const ready = it.ready()
  const refreshed = it.refresh()
  await expect.poll(() => clock.timers()).toEqual([20_000])
  clock.advance(20_000)
  await ready
  expect(it.current?.size).toBe(1000)
  expect(warnings).toMatchObject([
    { code: 'IPGUARD_SNAPSHOT_DAMAGED', message: expect.stringContaining('did not answer within 20000 ms') },
  ])
  await expect.poll(() => clock.timers()).toEqual([20_000])
  clock.advance(20_000)
  expect(await refreshed).toMatchObject({ type: 'loaded' })
  expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_SNAPSHOT_DAMAGED', 'IPGUARD_SNAPSHOT_FAILED'])
  expect(it.status().nextAt).toBeTypeOf('number')
  await it.close()
  expect(clock.timers()).toEqual([])
})

test('the cache of another list is not taken for this one', async () => {
  const cache = memoryCache()
  const first = make({ fetch: serve(LIST), cache })
  await first.refresh()
  await first.close()
  const { warnings, onWarning } = collected()
  const other = make({ fetch: away, cache, url: 'https://lists.example/y', onWarning })
  await other.refresh()
  expect(other.current).toBeUndefined()
  expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_FEED_FAILED'])
  await other.close()
})

test('a list is judged by the limits of now: one from the cache too', async () => {
  const cache = memoryCache()
  const first = make({ fetch: serve(`${LIST}16.0.0.0/7\n`), cache, minPrefix: { v4: 7 } })
  expect(await first.refresh()).toMatchObject({ type: 'loaded' })
  await first.close()
  const second = make({ fetch: away, cache })
  await second.refresh()
  expect(second.current).toBeUndefined()
  await second.close()
})

test('a URL with a key is not written into the cache', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ipguard-feed-'))
  try {
    const path = join(folder, 'x')
    await writeFile(path, '')
    const it = make({ url: 'https://lists.example/x?key=canary', fetch: serve(LIST), cache: fileSnapshot(path) })
    expect(await it.refresh()).toMatchObject({ type: 'loaded' })
    await it.close()
    expect(await readFile(path, 'utf8')).not.toContain('canary')
  } finally {
    await rm(folder, { recursive: true })
  }
})
