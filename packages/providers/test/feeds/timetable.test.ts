import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Address, createGuard, deny, type IpSet } from '@ipguard/core'
import { describe, expect, test } from 'vitest'
import { type Feed, type FeedOptions, feed } from '../../src/feeds/index.ts'
import { addresses, collected, type HandClock, handClock } from './feed-parts.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Rig {
  readonly feed: Feed
  readonly clock: HandClock
  /** How many times the source was asked. */
  asked: number
  answer: () => Response | Promise<Response>
}

function rig(options: Partial<FeedOptions> = {}): Rig {
  const clock = handClock()
  let n = 100
  const it: Rig = {
    clock,
    asked: 0,
    answer: () => new Response(addresses(n++)),
    feed: feed({
      name: 'ours',
      url: 'https://lists.example/x',
      refresh: '1h',
      clock,
      onWarning: () => undefined,
      fetch: async () => {
        it.asked++
        return it.answer()
      },
      ...options,
    }),
  }
  return it
}

/** The next attempt that ends. */
function next(made: Feed): Promise<unknown> {
  return new Promise((resolve) => {
    for (const type of ['loaded', 'unchanged', 'refused', 'failed'] as const) made.on(type, resolve)
  })
}

/** Until the timer of the next attempt is set. */
async function planned({ feed: made }: Rig): Promise<number> {
  await expect.poll(() => made.status().nextAt).toBeTypeOf('number')
  return (made.status().nextAt ?? 0) - 0
}

describe('nothing runs before somebody asks', () => {
  test('a feed that was only made has asked nobody and set no timer', async () => {
    const it = rig()
    createGuard({ policies: [deny(it.feed)] })
    await new Promise((resolve) => setImmediate(resolve))
    expect([it.asked, it.clock.timers()]).toEqual([0, []])
    expect(it.feed.status()).toEqual({
      name: 'ours',
      state: 'idle',
      entries: 0,
      failures: 0,
      bad: { count: 0, sample: [] },
      special: 0,
    })
  })

  test('the first request starts it, is degraded, and later ones meet the list', async () => {
    const it = rig()
    const guard = createGuard({ policies: [deny(it.feed, { name: 'ours' })], clock: it.clock })
    const decide = () => guard.check({ method: 'GET', url: '/', headers: new Headers() }, { peer: '20.0.0.7' })
    expect(await decide()).toMatchObject({ action: 'allow', degraded: ['ours'] })
    expect(it.feed.status().state).toBe('loading')
    await it.feed.ready()
    expect(await decide()).toMatchObject({
      action: 'deny',
      evidence: [{ kind: 'list', cidr: '20.0.0.7/32', label: 'ours' }],
    })
    expect(await decide()).not.toHaveProperty('degraded')
    await it.feed.close()
  })

  test('many readers at once make one question', async () => {
    const it = rig()
    for (let i = 0; i < 100; i++) void it.feed.current
    await Promise.all([it.feed.ready(), it.feed.ready(), it.feed.refresh()])
    expect(it.asked).toBe(1)
    await it.feed.close()
  })

  test('a process with a feed ends by itself', () => {
    const code = `
      import { feed } from ${JSON.stringify(join(import.meta.dirname, '../../src/feeds/index.ts'))}
      const made = feed({ name: 'x', source: () => ['20.0.0.1'], refresh: '1h' })
      await made.ready()
      console.log(made.current.size)`
    const args = ['--conditions=@ipguard/source', '--no-warnings', '--input-type=module', '-e', code]
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      cwd: import.meta.dirname,
      timeout: 20_000,
    })
    expect([stdout, stderr]).toEqual(['1\n', ''])
  })
})

describe('refreshing', () => {
  test('comes every refresh, give or take 5 %, and not at the same moment for all', async () => {
    const waits = new Set<number>()
    for (let i = 0; i < 20; i++) {
      const it = rig()
      await it.feed.refresh()
      waits.add((await planned(it)) - it.clock.now())
      await it.feed.close()
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0.95 * HOUR)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1.05 * HOUR)
    expect(waits.size).toBeGreaterThan(15)
  })

  test('swaps the set as a whole, again and again', async () => {
    const it = rig()
    await it.feed.ready()
    const sets: (IpSet | undefined)[] = [it.feed.current]
    for (let i = 0; i < 3; i++) {
      await planned(it)
      const event = next(it.feed)
      it.clock.advance(1.05 * HOUR)
      expect(await event).toMatchObject({ type: 'loaded', entries: 101 + i })
      sets.push(it.feed.current)
    }
    expect(new Set(sets).size).toBe(4)
    expect(sets[0]?.size).toBe(100)
    await it.feed.close()
  })

  test('a failure is tried again, later and later, up to the refresh', async () => {
    const it = rig()
    it.answer = () => new Response('no', { status: 500 })
    await it.feed.refresh()
    for (const most of [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60].map((minutes) => minutes * MINUTE)) {
      const wait = (await planned(it)) - it.clock.now()
      expect(wait).toBeLessThanOrEqual(most)
      expect(wait).toBeGreaterThanOrEqual(most / 2)
      const event = next(it.feed)
      it.clock.advance(wait)
      expect(await event).toMatchObject({ type: 'failed' })
    }
    expect(it.feed.status().failures).toBe(11)
    it.answer = () => new Response(addresses(5))
    expect(await it.feed.refresh()).toMatchObject({ type: 'loaded' })
    expect(it.feed.status()).toMatchObject({ failures: 0, state: 'ready' })
    expect(it.feed.status()).not.toHaveProperty('error')
    await it.feed.close()
  })

  test('Retry-After is kept to', async () => {
    const it = rig()
    it.answer = () => new Response('no', { status: 429, headers: { 'retry-after': '7200' } })
    await it.feed.refresh()
    expect((await planned(it)) - it.clock.now()).toBe(2 * HOUR)
    await it.feed.close()
  })

  test('a wait that no timer can take is taken in parts', async () => {
    const it = rig({ refresh: '60d' })
    await it.feed.ready()
    await planned(it)
    expect(Math.max(...it.clock.timers())).toBeLessThan(2 ** 31)
    it.clock.advance(56 * 24 * HOUR)
    expect(it.asked).toBe(1)
    const event = next(it.feed)
    it.clock.advance(8 * 24 * HOUR)
    expect(await event).toMatchObject({ type: 'loaded' })
    await it.feed.close()
  })

  test('retries and refresh() keep to the least interval', async () => {
    const it = rig({ minInterval: '30m' })
    it.answer = () => new Response('no', { status: 500 })
    await it.feed.refresh()
    expect((await planned(it)) - it.clock.now()).toBe(30 * MINUTE)
    expect(await it.feed.refresh()).toEqual({ type: 'skipped', feed: 'ours', until: it.clock.now() + 30 * MINUTE })
    expect(await it.feed.refresh({ force: true })).toMatchObject({ type: 'skipped' })
    await expect(it.feed.ready()).rejects.toMatchObject({ code: 'IPGUARD_FEED_FAILED' })
    expect(it.asked).toBe(1)
    await it.feed.close()
  })
})

describe('ready', () => {
  test('rejects when the first attempt brings nothing, and the feed goes on trying', async () => {
    const it = rig()
    it.answer = () => new Response('', { status: 200 })
    await expect(it.feed.ready()).rejects.toMatchObject({ code: 'IPGUARD_FEED_REFUSED', reason: 'empty' })
    it.answer = () => new Response(addresses(7))
    await planned(it)
    const event = next(it.feed)
    it.clock.advance(MINUTE)
    await event
    await it.feed.ready()
    expect(it.feed.current?.size).toBe(7)
    await it.feed.close()
  })

  test('asks anew when the attempts before brought nothing', async () => {
    const it = rig()
    it.answer = () => new Response('', { status: 500 })
    await expect(it.feed.ready()).rejects.toThrow('500')
    it.answer = () => new Response(addresses(7))
    await planned(it)
    await it.feed.ready()
    expect(it.asked).toBe(2)
    await it.feed.close()
  })

  test('is not waited for beyond its signal', async () => {
    const it = rig()
    let release: (response: Response) => void = () => undefined
    it.answer = () => new Promise((resolve) => (release = resolve))
    const ending = new AbortController()
    const ready = it.feed.ready(ending.signal)
    ending.abort(new Error('enough'))
    await expect(ready).rejects.toThrow('enough')
    await expect(it.feed.ready(ending.signal)).rejects.toThrow('enough')
    release(new Response(addresses(7)))
    await it.feed.ready()
    await it.feed.close()
  })
})

describe('close', () => {
  test('ends the attempt under way and the timers; the set stays', async () => {
    const it = rig()
    await it.feed.ready()
    await planned(it)
    let isAborted = false
    it.answer = () => new Promise(() => undefined)
    const fetching = it.feed.refresh()
    await it.feed.close()
    isAborted = (await fetching).type === 'failed'
    expect(isAborted).toBe(true)
    expect(it.clock.timers()).toEqual([])
    expect(it.feed.current?.size).toBe(100)
    expect(it.feed.status().state).toBe('closed')
    expect(await it.feed.refresh()).toMatchObject({ type: 'skipped' })
    expect(it.asked).toBe(2)
  })

  test('before the first load: whoever waits is told, and nothing starts any more', async () => {
    const it = rig()
    it.answer = () => new Promise(() => undefined)
    const ready = it.feed.ready()
    ready.catch(() => undefined)
    await it.feed.close()
    await expect(ready).rejects.toMatchObject({
      code: 'IPGUARD_FEED_FAILED',
      message: expect.stringContaining('closed'),
    })
    await expect(it.feed.ready()).rejects.toThrow('closed')
    const other = rig()
    await other.feed.close()
    expect(other.feed.current).toBeUndefined()
    expect([other.asked, other.clock.timers()]).toEqual([0, []])
  })
})

test('a listener that throws is told about, and stops nothing; one that was taken off hears nothing', async () => {
  const { warnings, onWarning } = collected()
  const it = rig({ onWarning })
  let heard = 0
  it.feed.on('loaded', () => {
    throw new Error('canary')
  })
  it.feed.on('loaded', () => heard++)()
  expect(await it.feed.refresh()).toMatchObject({ type: 'loaded' })
  expect(warnings).toEqual([{ code: 'IPGUARD_LISTENER_FAILED', message: 'A listener of "loaded" of feed ours threw.' }])
  expect(heard).toBe(0)
  const address: Address = { family: 4, a: (20 << 24) | 7, b: 0, c: 0, d: 0 }
  expect(it.feed.current?.hasAddress(address)).toBe(true)
  await it.feed.close()
})
