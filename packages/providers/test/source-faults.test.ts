import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, type Decision, type Guard, reputation } from '@ipguard/core'
import { ipwhois } from '@ipguard/providers/ipwhois'
import { memoryStore } from '@ipguard/store-memory'
import { waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const WAIT = 300
/** Beyond it a decision is late: what a busy machine may take on top. */
const SLACK = 100
const TIMEOUT = 200
const HOUR = 3_600_000
const BAD = '45.155.205.66'
const GOOD = '45.155.205.3'

type Fault = 'frozen' | 'dripping' | 'hanging up' | 'lying' | 'failing' | 'refusing the key' | 'over its quota'

const held = new Set<ServerResponse>()
/** What a source does instead of its work. */
const FAULTS: Readonly<Record<Fault, (res: ServerResponse) => void>> = {
  frozen: (res) => void held.add(res),
  dripping(res) {
    res.writeHead(200, { 'content-type': 'application/json' })
    const drip = setInterval(() => res.write(' '), 20)
    res.once('close', () => clearInterval(drip))
  },
  'hanging up': (res) => void res.destroy(),
  lying: (res) =>
    void res.writeHead(200, { 'content-type': 'application/json' }).end('<!doctype html><h1>Welcome</h1>'),
  failing: (res) => void res.writeHead(502).end('Bad Gateway'),
  'refusing the key': (res) => void res.writeHead(403).end('{}'),
  'over its quota': (res) => void res.writeHead(429, { 'retry-after': '30' }).end('{}'),
}

const healthy: RequestListener = (req, res) => {
  const listed = req.url?.endsWith('.66') === true
  res.end(JSON.stringify(listed ? { listed, confidence: 95, threat_type: 'scan' } : { listed }))
}

let fault: Fault | undefined
let asked = 0
let url = ''
const server = createServer((req, res) => {
  asked++
  if (fault) FAULTS[fault](res)
  else healthy(req, res)
})

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // of a TCP server
  // The first look-up of a process loads the HTTP client, which on a busy machine takes longer than a source is given below.
  await ipwhois({ baseUrl: url, timeout: '20s' }).lookup(GOOD, { signal: AbortSignal.timeout(20_000) })
}, 30_000)
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  fault = undefined
  asked = 0
})

interface Scene {
  readonly guard: Guard
  /** Lets that much time pass at once. */
  skip(ms: number): void
}

function scene(onUnknown: 'allow' | 'deny'): Scene {
  let skipped = 0
  const clock = { now: () => Date.now() + skipped }
  const guard = createGuard({
    clock,
    store: memoryStore({ clock }),
    policies: [
      reputation({
        providers: [ipwhois({ baseUrl: url, timeout: `${TIMEOUT}ms` })],
        deny: 80,
        wait: `${WAIT}ms`,
        onUnknown,
      }),
    ],
  })
  return {
    guard,
    skip(ms) {
      skipped += ms
    },
  }
}

/** With how long it took, in ms. */
async function ask(guard: Guard, peer: string): Promise<{ decision: Decision; took: number }> {
  const begun = performance.now()
  const decision = await guard.check({ method: 'GET', url: '/', headers: new Headers() }, { peer })
  return { decision, took: performance.now() - begun }
}

describe.each(Object.keys(FAULTS) as Fault[])('a source that is %s', (kind) => {
  it.each(['allow', 'deny'] as const)('leaves a stranger to onUnknown: %s, in time', async (onUnknown) => {
    const { guard } = scene(onUnknown)
    fault = kind
    const { decision, took } = await ask(guard, BAD)
    expect(took).toBeLessThan(WAIT + SLACK)
    expect(decision).toMatchObject({ action: onUnknown, degraded: ['reputation'] })
    if (onUnknown === 'deny') expect(decision.evidence).toEqual([{ kind: 'unknown', providers: ['ipwhois'] }])
    expect(asked).toBe(1)
    await guard.close()
  })

  it('takes nothing from what it said before, good or bad', async () => {
    const { guard, skip } = scene('allow')
    expect((await ask(guard, BAD)).decision.action).toBe('deny')
    expect((await ask(guard, GOOD)).decision.action).toBe('allow')
    fault = kind
    skip(2 * HOUR)
    for (const [ip, action] of [
      [BAD, 'deny'],
      [GOOD, 'allow'],
    ] as const) {
      const { decision, took } = await ask(guard, ip)
      expect({ ip, action: decision.action, fast: took < SLACK }).toEqual({ ip, action, fast: true })
    }
    await waitUntil('the source has failed', () => (guard.metrics().reputation?.ipwhois?.inFlight ?? 1) === 0)
    expect((await ask(guard, BAD)).decision).toMatchObject({
      action: 'deny',
      evidence: [{ kind: 'reputation', score: 95, verdicts: [{ provider: 'ipwhois', score: 95, stale: true }] }],
    })
    expect((await ask(guard, GOOD)).decision.action).toBe('allow')
    await guard.close()
  })

  it('is believed again when it is well', async () => {
    const { guard, skip } = scene('allow')
    fault = kind
    await ask(guard, BAD)
    fault = undefined
    skip(2 * HOUR)
    expect((await ask(guard, BAD)).decision.action).toBe('deny')
    await guard.close()
  })
})
