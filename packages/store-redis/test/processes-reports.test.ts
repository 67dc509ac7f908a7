import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RedisServer, startRedis, waitUntil } from '@ipguard/tools'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ClientName, Opening } from './processes.child.ts'
import { type Fleet, startFleet } from './processes-fleet.ts'

const FETCH = 300_000
const PROCESSES = 4
const NAME = 'guard'
const KEY = 'vendor-key-canary'
/** What an application's messages must not carry out. */
const CANARY = 'cänary/secret+word 1'
const BASE64 = Buffer.from(`user:${CANARY}`).toString('base64')
const MESSAGE = `login as ${CANARY} with Basic ${BASE64}, /login?pass=${encodeURIComponent(CANARY)}`
const FORMS = [CANARY, encodeURIComponent(CANARY), BASE64, BASE64.slice(8, -4), encodeURIComponent(BASE64)]

/** Ordinary public addresses: those of the documentation are never reported. */
const ips = (count: number, net: number): string[] => Array.from({ length: count }, (_, i) => `45.155.${net}.${i + 1}`)

/** Counts what arrives, of whom ever. */
interface StandIn {
  readonly server: Server
  readonly url: string
  readonly bodies: string[]
  /** Answers that are held back. */
  readonly held: ServerResponse[]
  hold: boolean
}

async function startStandIn(): Promise<StandIn> {
  const bodies: string[] = []
  const held: ServerResponse[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      bodies.push(body)
      if (standIn.hold) held.push(response)
      else response.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP
  const standIn = { server, url: `http://127.0.0.1:${port}/report`, bodies, held, hold: false }
  return standIn
}

function arrivals({ bodies }: StandIn): Map<string, number> {
  const counts = new Map<string, number>()
  for (const body of bodies) {
    const { ip } = JSON.parse(body) as { ip: string }
    counts.set(ip, (counts.get(ip) ?? 0) + 1)
  }
  return counts
}

let redis: RedisServer
let standIn: StandIn
let fleet: Fleet
beforeAll(async () => {
  redis = await startRedis()
}, FETCH)
afterAll(() => redis?.stop())
beforeEach(async () => {
  standIn = await startStandIn()
  fleet = await startFleet(PROCESSES, redis.port)
})
afterEach(async () => {
  await fleet?.kill()
  standIn?.server.closeAllConnections()
  standIn?.server.close()
})

describe.each(['node-redis', 'ioredis'] as const)('reports by several processes with %s', (client: ClientName) => {
  const opening = (prefix: string, more: Partial<Opening> = {}): Opening => ({
    client,
    prefix: `reports-${client}-${prefix}`,
    options: { deadline: '10s' },
    reporting: { url: standIn.url, key: KEY, secrets: [CANARY], perDay: 10_000 },
    ...more,
  })

  it('are one for each client, also after all processes were restarted', async () => {
    const all = ips(100, 205)
    await fleet.all('open', NAME, opening('once'))
    const report = { type: 'brute-force', message: MESSAGE } as const
    // Each process reports each address three times, all at once.
    const first = await fleet.all('report', NAME, [...all, ...all, ...all], report)
    await waitUntil('all have arrived', () => arrivals(standIn).size === all.length)
    const outcomes = first.flat().map(({ outcome }) => outcome)
    expect(outcomes).toHaveLength(PROCESSES * 300)
    expect(outcomes.filter((outcome) => outcome === 'failed' || outcome === 'refused')).toEqual([])
    await fleet.kill()
    fleet = await startFleet(PROCESSES, redis.port)
    await fleet.all('open', NAME, opening('once'))
    const second = await fleet.all('report', NAME, [...all, '45.155.206.1'], report)
    expect(second.flat().filter(({ outcome }) => outcome === 'sent')).toHaveLength(1)
    expect(second.flat().filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(PROCESSES * 101 - 1)
    expect([...arrivals(standIn)].filter(([, count]) => count > 1)).toEqual([])
    expect(standIn.bodies).toHaveLength(101)
  })

  it('are none rather than two when the processes crash in the middle', async () => {
    const all = ips(40, 207)
    standIn.hold = true
    await fleet.all('open', NAME, opening('crash'))
    const report = { type: 'spam', message: 'x' } as const
    for (const member of fleet.members) member.call('report', NAME, all, report).catch(() => {})
    await waitUntil('some have arrived and are not answered', () => standIn.held.length >= PROCESSES)
    await fleet.kill()
    standIn.hold = false
    const before = arrivals(standIn)
    fleet = await startFleet(PROCESSES, redis.port)
    await fleet.all('open', NAME, opening('crash'))
    const second = (await fleet.all('report', NAME, all, report)).flat()
    await waitUntil('nothing waits any more', async () =>
      (await fleet.all('shown', NAME)).every((text) => text.includes('"queued":0')),
    )
    expect([...arrivals(standIn)].filter(([, count]) => count > 1)).toEqual([])
    for (const ip of before.keys()) expect(arrivals(standIn).get(ip)).toBe(1)
    // The rest are reported now, once.
    expect(arrivals(standIn).size).toBeGreaterThan(before.size)
    expect(second.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  })

  it('share one budget', async () => {
    const reporting = { url: standIn.url, key: KEY, perDay: 10 }
    await fleet.all('open', NAME, opening('budget', { reporting }))
    const results = await Promise.all(
      fleet.members.map((member, i) => member.call('report', NAME, ips(20, 210 + i), { type: 'scan' })),
    )
    await waitUntil('nothing waits any more', async () =>
      (await fleet.all('shown', NAME)).every((text) => text.includes('"queued":0')),
    )
    expect(standIn.bodies).toHaveLength(10)
    expect(results.flat().some(({ outcome }) => outcome === 'over-budget')).toBe(true)
  })

  it('come from a ladder that all processes climb together, once', async () => {
    const ladder = [{ name: 'out', ban: '1h', after: 3, report: 'brute-force' }] as const
    const limits = [{ name: 'login', limit: 1, window: '100ms', ladder }] as const
    await fleet.all('open', NAME, opening('ladder', { limits }))
    await waitUntil('it is banned', async () => {
      await fleet.all('flood', NAME, '45.155.209.1', 5)
      return (await fleet.all('check', NAME, '45.155.209.1')).every(({ reason }) => reason === 'banned')
    })
    await waitUntil('it was reported', () => standIn.bodies.length > 0)
    expect(standIn.bodies.map((body) => JSON.parse(body) as unknown)).toMatchObject([
      { ip: '45.155.209.1', type: 'brute-force', message: 'ipguard: 3 strikes on limit "login" within 30d' },
    ])
  })

  it('hold no secret, in no form, in no payload, log line, error, metric or reply', async () => {
    await fleet.all('open', NAME, opening('secrets'))
    const replies = await fleet.all('report', NAME, ips(4, 208), { type: 'web-attack', message: MESSAGE })
    await waitUntil('all have arrived', () => standIn.bodies.length === 4)
    // Now the source fails, and says the key in its error.
    standIn.server.removeAllListeners('request')
    standIn.server.on('request', (_request, response: ServerResponse) => {
      response.statusCode = 500
      response.end(KEY)
    })
    replies.push(...(await fleet.all('report', NAME, ips(4, 220), { type: 'web-attack', message: MESSAGE })))
    const shown = await fleet.all('shown', NAME)
    const text = [JSON.stringify(replies), ...shown, ...standIn.bodies].join('\n')
    expect(standIn.bodies.every((body) => body.includes('[redacted]'))).toBe(true)
    expect(text).toContain('queued')
    expect(shown.join('')).not.toContain(KEY)
    for (const form of FORMS) expect(text).not.toContain(form)
  })
})
