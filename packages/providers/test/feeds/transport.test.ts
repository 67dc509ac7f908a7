import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Feed, type FeedOptions, feed } from '../../src/feeds/index.ts'
import { addresses, handClock } from './feed-parts.ts'
import { listServer, status, text } from './list-server.ts'

const LIST = addresses(100)

function make(options: Partial<FeedOptions>): Feed {
  return feed({ name: 'ours', refresh: '1h', clock: handClock(), onWarning: () => undefined, ...options })
}

describe('a conditional request', () => {
  test('names the version in use; 304 changes nothing but the age', async () => {
    const modified = 'Sat, 22 Aug 2026 11:00:00 GMT'
    await using server = await listServer(text(LIST, { etag: 'W/"a"', 'last-modified': modified }))
    const clock = handClock()
    const it = make({ url: server.url, clock })
    await it.ready()
    const set = it.current
    server.answer = (request, response) => {
      const is = request.headers['if-none-match'] === 'W/"a"' && request.headers['if-modified-since'] === modified
      response.writeHead(is ? 304 : 500).end()
    }
    clock.advance(1000)
    expect(await it.refresh()).toMatchObject({ type: 'unchanged', from: 'source' })
    expect(it.current).toBe(set)
    expect(it.status()).toMatchObject({ age: 0, etag: 'W/"a"', lastModified: modified, loadedAt: clock.now() - 1000 })
    expect(server.requests[0]?.headers).not.toHaveProperty('if-none-match')
    await it.close()
  })

  test('the same bytes with 200 are no new list', async () => {
    await using server = await listServer(text(LIST))
    const it = make({ url: server.url })
    await it.refresh()
    const set = it.current
    expect(await it.refresh()).toMatchObject({ type: 'unchanged' })
    expect(it.current).toBe(set)
    await it.close()
  })

  test('304 to a question that was not asked is a failure', async () => {
    await using server = await listServer(status(304))
    const it = make({ url: server.url })
    expect(await it.refresh()).toMatchObject({ type: 'failed', code: 'IPGUARD_FEED_FAILED' })
    await it.close()
  })
})

describe('the download', () => {
  test('follows up to three redirects, and no more', async () => {
    await using server = await listServer((request, response) => {
      const left = Number(new URL(request.url ?? '', 'http://x').searchParams.get('left') ?? 3)
      if (left > 0) response.writeHead(302, { location: `?left=${left - 1}` }).end()
      else response.end(LIST)
    })
    const three = make({ url: server.url })
    expect(await three.refresh()).toMatchObject({ type: 'loaded', entries: 100 })
    const four = make({ url: `${server.url}?left=4` })
    expect(await four.refresh()).toMatchObject({ type: 'failed', message: expect.stringContaining('a redirect') })
    await Promise.all([three.close(), four.close()])
  })

  test('counts bytes as they are decompressed', async () => {
    const bomb = gzipSync(addresses(200_000))
    await using server = await listServer(text(bomb, { 'content-encoding': 'gzip' }))
    const it = make({ url: server.url, maxBytes: 1_000_000 })
    expect(bomb.length).toBeLessThan(1_000_000)
    expect(await it.refresh()).toMatchObject({ type: 'refused', reason: 'too-large' })
    server.answer = text(gzipSync(LIST), { 'content-encoding': 'gzip' })
    expect(await it.refresh()).toMatchObject({ type: 'loaded', entries: 100 })
    await it.close()
  })

  test('that drips is given up at the deadline', async () => {
    await using server = await listServer((_, response) => {
      response.write('20.0.0.1\n')
      const drip = setInterval(() => response.write('20.0.0.2\n'), 20)
      response.on('close', () => clearInterval(drip))
    })
    const it = make({ url: server.url, timeout: '200ms' })
    const started = performance.now()
    expect(await it.refresh()).toMatchObject({ type: 'failed', message: expect.stringContaining('within 200 ms') })
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(it.current).toBeUndefined()
    await it.close()
  })

  test('that breaks off is a failure, whatever has come', async () => {
    await using server = await listServer((_, response) => {
      response.writeHead(200, { 'content-length': '100000' })
      response.write(LIST, () => response.destroy())
    })
    const it = make({ url: server.url })
    expect(await it.refresh()).toMatchObject({ type: 'failed', message: expect.stringContaining('broke off') })
    await it.close()
  })

  test.each([500, 403, 404, 204])('with status %i is a failure', async (code) => {
    await using server = await listServer(status(code))
    const it = make({ url: server.url })
    expect(await it.refresh()).toMatchObject({ type: 'failed', message: expect.stringContaining(`answered ${code}`) })
    expect(it.status()).toMatchObject({ state: 'empty-handed', error: { code: 'IPGUARD_FEED_FAILED' } })
    await it.close()
  })

  test('of a server that is not there is a failure', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.on('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const it = make({ url: `http://127.0.0.1:${port}/` })
    expect(await it.refresh()).toMatchObject({ type: 'failed', message: expect.stringContaining('ECONNREFUSED') })
    await it.close()
  })

  test('sends the headers that it is given, and shows them in no error', async () => {
    await using server = await listServer(status(401))
    const it = make({ url: server.url, headers: { authorization: 'Bearer canary-7f3a' } })
    const outcome = await it.refresh()
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer canary-7f3a',
      'user-agent': expect.stringContaining('ipguard'),
    })
    expect(JSON.stringify([outcome, it.status()])).not.toContain('canary')
    await it.close()
  })

  test('goes through the fetch that it is given', async () => {
    const asked: string[] = []
    const fetch: FeedOptions['fetch'] = async (url) => {
      asked.push(url as string)
      return new Response(LIST)
    }
    const it = make({ url: 'https://lists.example/x?key=1', fetch })
    expect(await it.refresh()).toMatchObject({ type: 'loaded', entries: 100 })
    expect(asked).toEqual(['https://lists.example/x?key=1'])
    await it.close()
  })
})

describe('a file', () => {
  test('is read again when its time or size has changed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ipguard-feed-'))
    try {
      const file = join(folder, 'list.txt')
      const it = make({ file })
      expect(await it.refresh()).toMatchObject({ type: 'failed', message: expect.stringContaining('list.txt') })
      await writeFile(file, LIST)
      expect(await it.refresh()).toMatchObject({ type: 'loaded', entries: 100 })
      expect(await it.refresh()).toMatchObject({ type: 'unchanged' })
      await writeFile(file, addresses(101))
      expect(await it.refresh()).toMatchObject({ type: 'loaded', entries: 101 })
      await utimes(file, 1, 1)
      expect(await it.refresh()).toMatchObject({ type: 'unchanged' })
      await rm(file)
      expect(await it.refresh()).toMatchObject({ type: 'failed' })
      expect(it.current?.size).toBe(101)
      await it.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('a transport of one’s own', () => {
  test('gives bytes or text, in chunks that may end anywhere', async () => {
    const bytes = new TextEncoder().encode(`\uFEFF${LIST}# ü\r\n2001:4860::1`)
    async function* drops(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte)
    }
    for (const source of [drops, () => [LIST, '2001:4860::1'], () => Promise.resolve([bytes])]) {
      const it = make({ source })
      expect(await it.refresh()).toMatchObject({ type: 'loaded', entries: 101, bad: 0 })
      await it.close()
    }
  })

  test('that never ends is given up, and told to', async () => {
    let isTold = false
    let aborted = false
    async function* endless(signal: AbortSignal): AsyncGenerator<string> {
      try {
        yield '20.0.0.1\n'
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        aborted = true
      } finally {
        isTold = true
      }
    }
    const it = make({ source: ({ signal }) => endless(signal), timeout: '50ms' })
    expect(await it.refresh()).toMatchObject({
      type: 'failed',
      message: 'Feed ours did not come in full within 50 ms.',
    })
    await expect.poll(() => [isTold, aborted]).toEqual([true, true])
    await it.close()
  })

  test.each<readonly [string, NonNullable<FeedOptions['source']>]>([
    [
      'throws',
      () => {
        throw new Error('canary')
      },
    ],
    ['rejects', () => Promise.reject(new Error('canary'))],
    ['answers nothing', () => undefined as never],
    ['answers a text', () => '20.0.0.1' as never],
    ['gives numbers', () => [1] as never],
    [
      'breaks',
      async function* () {
        yield '20.0.0.1\n'
        throw new Error('canary')
      },
    ],
  ])('that %s fails, and its words stay with it', async (_, source) => {
    const it = make({ source })
    const outcome = await it.refresh()
    expect(outcome).toMatchObject({ type: 'failed', code: 'IPGUARD_FEED_FAILED' })
    expect(JSON.stringify([outcome, it.status()])).not.toContain('canary')
    await it.close()
  })
})
