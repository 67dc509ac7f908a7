import { startRedis, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Site, startSite } from '../start-site.ts'
import { type Answer, ask, askTimes } from './ask.ts'

const LIMIT = 20
let redis: Awaited<ReturnType<typeof startRedis>>
let site: Site

beforeAll(async () => {
  redis = await startRedis({ args: ['--appendonly', 'yes'] })
  site = await startSite(redis.url)
  await untilHealthy()
})

afterAll(async () => {
  await site?.stop()
  await redis?.stop()
})

/** Every call another address of the network, so that no limit is met: `127.0.20.0/24` for 20. */
const strangers = new Map<number, number>()
function stranger(network: number): string {
  const number = (strangers.get(network) ?? 0) + 1
  strangers.set(network, number)
  return `127.0.${network}.${number}`
}

/** Asks until both processes decide with Redis. */
async function untilHealthy(): Promise<void> {
  const healthy = new Set<number>()
  await waitUntil('both processes decide with Redis', async () => {
    const { body } = await ask(site.url, stranger(1))
    if (body?.degraded.length === 0) healthy.add(body.process)
    return healthy.size === 2
  })
}

function admitted(answers: readonly Answer[]): readonly Answer[] {
  return answers.filter(({ status }) => status === 200)
}

function processesOf(answers: readonly Answer[]): readonly number[] {
  return [...new Set(answers.flatMap(({ body }) => body?.process ?? []))].toSorted((a, b) => a - b)
}

async function operate(index: number, method: 'PUT' | 'DELETE', target: string): Promise<number> {
  const { adminUrl } = site.processes[index]!
  return (await fetch(`${adminUrl}/bans/${encodeURIComponent(target)}`, { method })).status
}

/** What both processes say of a network, whom nginx asks in turn. */
async function bothSay(status: number, network: number): Promise<boolean> {
  const answers = [await ask(site.url, stranger(network)), await ask(site.url, stranger(network))]
  return answers.every((answer) => answer.status === status)
}

describe('two processes behind nginx with one Redis', () => {
  it('share one limit', async () => {
    const answers = await askTimes(LIMIT + 10, site.url, '127.0.0.9')
    expect(admitted(answers)).toHaveLength(LIMIT)
    expect(answers.slice(LIMIT).map(({ status }) => status)).toEqual(Array(10).fill(429))
    expect(processesOf(answers)).toEqual(site.processes.map(({ pid }) => pid).toSorted((a, b) => a - b))
  })

  it('count by the address that nginx saw, whatever a caller writes into X-Forwarded-For', async () => {
    const forged = ['198.51.100.1', '198.51.100.2, 127.0.0.1', 'unknown', '127.0.0.1', '::1, 203.0.113.9']
    const answers = await askTimes(LIMIT + 10, site.url, '127.0.0.10', forged)
    expect(admitted(answers)).toHaveLength(LIMIT)
    expect(new Set(admitted(answers).map(({ body }) => body?.client))).toEqual(new Set(['127.0.0.10']))
  })

  it.each([
    { banning: 0, unbanning: 1 },
    { banning: 1, unbanning: 0 },
  ])('obey within 1 s when process $banning bans and process $unbanning lifts it', async ({ banning, unbanning }) => {
    const network = 20 + banning
    expect(await bothSay(200, network)).toBe(true)
    expect(await operate(banning, 'PUT', `127.0.${network}.0/24`)).toBe(200)
    await waitUntil('both refuse', () => bothSay(403, network), 1_000)
    expect(await operate(unbanning, 'DELETE', `127.0.${network}.0/24`)).toBe(200)
    await waitUntil('both let in', () => bothSay(200, network), 1_000)
  })

  it('say what is wrong with an address that cannot be banned', async () => {
    expect(await operate(0, 'PUT', 'nobody')).toBe(400)
  })
})

describe('when Redis is killed', () => {
  it('requests go on, each process counts its share, banned clients stay out, and it ends by itself', async () => {
    expect(await operate(0, 'PUT', '127.0.30.0/24')).toBe(200)
    await waitUntil('both refuse', () => bothSay(403, 30), 1_000)

    await redis.kill()
    const answers = await askTimes(3 * LIMIT, site.url, '127.0.0.31')
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]))
    expect(admitted(answers).every(({ body }) => body!.degraded.length > 0)).toBe(true)
    for (const { pid } of site.processes)
      expect(admitted(answers).filter(({ body }) => body?.process === pid)).toHaveLength(LIMIT / 2)
    expect(await bothSay(403, 30)).toBe(true)

    await redis.restart()
    await untilHealthy()
    expect(await bothSay(403, 30)).toBe(true)
    const shared = await askTimes(LIMIT + 10, site.url, '127.0.0.32')
    expect(admitted(shared)).toHaveLength(LIMIT)
    for (const { output } of site.processes) expect(output()).toContain('Redis answers again')
  })
})
