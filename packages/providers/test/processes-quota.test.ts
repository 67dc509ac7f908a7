import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Fleet, type RedisServer, startFleet, startRedis, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Orders } from './processes.child.ts'

const PROCESSES = 4
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 10, 21, 12)

/** A source that writes down who was asked about, and when by the test's time; addresses that end with .66 are bad. */
interface Source {
  readonly url: string
  readonly asked: { readonly ip: string; readonly at: number }[]
  /** The time that it writes down. */
  time: number
  /** Answers nobody until `release`. */
  hold(): void
  release(): void
  stop(): void
}

let redis: RedisServer
let source: Source
let fleet: Fleet<Orders>
beforeAll(async () => {
  redis = await startRedis()
  source = await startSource()
})
afterAll(async () => {
  await fleet?.kill()
  source?.stop()
  await redis?.stop()
})

async function startSource(): Promise<Source> {
  let held: (() => void)[] | undefined
  const known: Source = {
    url: '',
    asked: [],
    time: 0,
    hold() {
      held = []
    },
    release() {
      for (const answer of held ?? []) answer()
      held = undefined
    },
    stop: () => void server.close(),
  }
  const server = createServer((req, res) => {
    const ip = new URL(req.url ?? '', 'http://127.0.0.1').searchParams.get('ip') ?? ''
    known.asked.push({ ip, at: known.time })
    const answer = (): void => void res.end(JSON.stringify({ score: ip.endsWith('.66') ? 90 : 0 }))
    if (held) held.push(answer)
    else answer()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(known, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }) // of a TCP server
}

async function newFleet(opening: Omit<Parameters<Orders['open']>[0], 'url'>): Promise<void> {
  await fleet?.kill()
  source.asked.length = 0
  fleet = await startFleet<Orders>(new URL('processes.child.ts', import.meta.url), PROCESSES, [String(redis.port)])
  await fleet.all('open', { ...opening, url: source.url })
}

/** Public addresses, all different. */
const ipOf = (i: number): string => `62.${i >> 16}.${(i >> 8) & 255}.${(i & 255) === 66 ? 67 : i & 255}`

/** The most questions in any span of this length. */
function mostIn(span: number): number {
  const times = source.asked.map(({ at }) => at)
  let most = 0
  for (let first = 0, last = 0; last < times.length; last++) {
    while ((times[last] as number) - (times[first] as number) >= span) first++ // inside
    most = Math.max(most, last - first + 1)
  }
  return most
}

/** Moves everybody's time, and sends each process its addresses. */
async function step(time: number, shares: readonly (readonly string[])[]): Promise<void> {
  source.time = time
  await fleet.all('moveTo', time)
  await Promise.all(fleet.members.map((member, i) => member.call('check', shares[i] ?? [])))
  // Who waits for another's look-up looks again after a time.
  for (let later = time + 100; (await fleet.all('idle')).includes(false); later += 100) {
    source.time = later
    await fleet.all('moveTo', later)
  }
}

/** What each process asks of its part of 1,000 requests. */
const crowd = (ip: string): string[] => Array.from({ length: 1_000 / PROCESSES }, () => ip)

/** Holds the source's answer back until every process has its look-up under way. */
async function whileHeld<T>(ask: () => Promise<T>): Promise<T> {
  source.hold()
  const answered = ask()
  await waitUntil('every process looks it up, or waits for who does', async () => {
    const metrics = await fleet.all('metrics')
    return source.asked.length > 0 && metrics.every((each) => each?.inFlight === 1)
  })
  source.release()
  return answered
}

describe(`${PROCESSES} processes with one source of 15 look-ups a minute and 500 a day`, () => {
  it('never ask more, with 10,000 addresses in a minute and two days of strangers', { timeout: 240_000 }, async () => {
    const ttl = { verdict: '6h', unlisted: '6h' } as const
    await newFleet({ prefix: 'quota', quota: { perMinute: 15, perDay: 500 }, ttl, time: START })
    let next = 0
    const strangers = (count: number): string[] => Array.from({ length: count }, () => ipOf(next++))
    // a minute, in which every process meets its own strangers and some of the others'
    for (let i = 0; i < 100; i++) {
      const shares = Array.from({ length: PROCESSES }, () => strangers(25))
      await step(START + i * 600, shares)
      if (i % 10 === 0)
        await step(START + i * 600, [shares[1] ?? [], shares[0] ?? [], shares[3] ?? [], shares[2] ?? []])
    }
    expect(next).toBe(10_000)
    expect(source.asked).toHaveLength(15)
    const busy = Array.from({ length: 40 }, (_, i) => ipOf(i))
    for (let time = START + MINUTE; time < START + 2 * DAY; time += 4 * MINUTE) {
      await step(time, [strangers(10), strangers(10), [...strangers(5), ...busy], busy])
    }
    expect(mostIn(MINUTE)).toBe(15)
    expect(mostIn(DAY)).toBeLessThanOrEqual(500)
    // the first day used what there was
    expect(source.asked.filter(({ at }) => at < START + DAY).length).toBeGreaterThan(450)
    const last = new Map<string, number>()
    for (const { ip, at } of source.asked) {
      // the jitter takes up to a tenth of a time to live
      expect(at - (last.get(ip) ?? Number.NEGATIVE_INFINITY), ip).toBeGreaterThanOrEqual(6 * HOUR * 0.9)
      last.set(ip, at)
    }
  })
})

describe(`1,000 first requests of one address at once, over ${PROCESSES} processes`, () => {
  it.each([
    ['62.1.2.66', 'deny'],
    ['62.1.2.3', 'allow'],
  ] as const)('cost one look-up when %s waits for its verdict', async (ip, action) => {
    await newFleet({ prefix: `single-${action}`, wait: true })
    const tallies = await whileHeld(() => fleet.all('check', crowd(ip)))
    expect(tallies.reduce((sum, tally) => sum + tally[action], 0)).toBe(1_000)
    expect(tallies.reduce((sum, tally) => sum + tally.degraded, 0)).toBe(0)
    expect(source.asked.map((each) => each.ip)).toEqual([ip])
  })

  it('cost one look-up in the background, and every process then knows the verdict', async () => {
    await newFleet({ prefix: 'background' })
    const ip = '62.9.9.66'
    const first = await whileHeld(() => fleet.all('check', crowd(ip)))
    expect(first.reduce((sum, { allow, pending }) => sum + Math.min(allow, pending), 0)).toBe(1_000)
    while ((await fleet.all('idle')).includes(false));
    const second = await fleet.all('check', [ip])
    expect(second.map(({ deny }) => deny)).toEqual(Array(PROCESSES).fill(1))
    expect(source.asked).toHaveLength(1)
  })
})
