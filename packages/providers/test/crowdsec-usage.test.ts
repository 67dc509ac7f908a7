import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CrowdsecServer, startCrowdsec, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { handClock } from '../../core/test/hand-clock.ts'
import { crowdsec } from '../src/crowdsec.ts'

const KEY = 'key-of-the-counted'
const context = { signal: new AbortController().signal }
const QUARTER = 15 * 60_000

interface Told {
  readonly status: number
  readonly body: { readonly remediation_components: readonly Component[] }
}
interface Component {
  readonly version: string
  readonly utc_startup_timestamp: number
  readonly metrics: readonly [{ readonly meta: object; readonly items: readonly object[] }]
}

/** A server of version 1.6: what 1.4 answers, and the route of the metrics. */
async function newServer(status: () => number): Promise<{ readonly url: string; readonly told: readonly Told[] }> {
  const told: Told[] = []
  const decision = {
    duration: '4h',
    id: 1,
    origin: 'lists',
    scenario: 'firehol',
    scope: 'Ip',
    type: 'ban',
    value: '1.2.3.4',
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = request.url ?? ''
      if (url === '/v1/usage-metrics') {
        const code = request.headers['x-api-key'] === KEY ? status() : 403
        told.push({ status: code, body: JSON.parse(Buffer.concat(chunks).toString()) })
        response.writeHead(code).end()
      } else if (url.startsWith('/v1/decisions/stream')) {
        response.end(JSON.stringify({ deleted: null, new: url.includes('startup=true') ? [decision] : null }))
      } else response.end(url.endsWith('ip=1.2.3.4') ? JSON.stringify([decision]) : 'null')
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told }
}

describe('usage metrics', () => {
  it('tell every 15 minutes how many addresses were asked about, and how many had which decision', async () => {
    const { url, told } = await newServer(() => 201)
    const clock = handClock()
    const provider = crowdsec({ url, key: KEY, clock })
    const began = Math.floor(clock.now() / 1_000)
    for (const ip of ['1.2.3.4', '9.9.9.9', '9.9.9.8']) await provider.lookup(ip, context)
    expect(told).toEqual([])
    clock.advance(QUARTER)
    await provider.lookup('1.2.3.4', context)
    await waitUntil('it has told', () => told.length === 1)
    expect(told[0]?.body).toEqual({
      remediation_components: [
        {
          type: 'ipguard',
          version: 'v0',
          feature_flags: [],
          utc_startup_timestamp: began,
          metrics: [
            {
              meta: { window_size_seconds: 900, utc_now_timestamp: began + 900 },
              items: [
                { name: 'dropped', value: 2, unit: 'request', labels: { origin: 'lists:firehol', remediation: 'ban' } },
                { name: 'processed', value: 4, unit: 'request' },
              ],
            },
          ],
        },
      ],
    })
  })

  it('of a stream have the number of decisions, and count on when they were not taken', async () => {
    let status = 500
    const { url, told } = await newServer(() => status)
    const clock = handClock()
    const provider = crowdsec({ url, key: KEY, mode: 'stream', clock })
    onTestFinished(() => provider.close())
    await provider.start()
    for (const ip of ['1.2.3.4', '9.9.9.9']) await provider.lookup(ip, context)
    clock.advance(QUARTER)
    await waitUntil('it has told', () => told.length === 1)
    await waitUntil('the next pull is planned', () => clock.pending() === 1)
    status = 201
    await provider.lookup('9.9.9.9', context)
    clock.advance(QUARTER)
    await waitUntil('it has told again', () => told.length === 2)
    expect(told.map(({ body }) => body.remediation_components[0]?.metrics[0].items)).toEqual([
      [
        { name: 'dropped', value: 1, unit: 'request', labels: { origin: 'lists:firehol', remediation: 'ban' } },
        { name: 'active_decisions', value: 1, unit: 'ip' },
        { name: 'processed', value: 2, unit: 'request' },
      ],
      [
        { name: 'dropped', value: 1, unit: 'request', labels: { origin: 'lists:firehol', remediation: 'ban' } },
        { name: 'active_decisions', value: 1, unit: 'ip' },
        { name: 'processed', value: 3, unit: 'request' },
      ],
    ])
  })

  it('are not sent when they are turned off', async () => {
    const { url, told } = await newServer(() => 201)
    const clock = handClock()
    const provider = crowdsec({ url, key: KEY, clock, metrics: false })
    await provider.lookup('1.2.3.4', context)
    clock.advance(QUARTER)
    await provider.lookup('1.2.3.4', context)
    await provider.lookup('1.2.3.4', context)
    expect(told).toEqual([])
  })
})

describe('usage metrics of a real Local API 1.4, which has no such route', () => {
  let lapi: CrowdsecServer
  beforeAll(async () => {
    lapi = await startCrowdsec({ bouncers: { counted: KEY } })
  }, 300_000)
  afterAll(() => lapi.stop())

  it('are offered once a day, and nothing fails', async () => {
    const clock = handClock()
    const provider = crowdsec({ url: lapi.url, key: KEY, clock })
    const offered = (): number => lapi.output().split('POST /v1/usage-metrics').length - 1
    await provider.lookup('9.9.9.9', context)
    clock.advance(QUARTER)
    await provider.lookup('9.9.9.9', context)
    await waitUntil('it was offered', () => offered() === 1)
    for (let i = 0; i < 10; i++) {
      clock.advance(QUARTER)
      await provider.lookup('9.9.9.9', context)
    }
    expect(offered()).toBe(1)
    clock.advance(86_400_000)
    await provider.lookup('9.9.9.9', context)
    await waitUntil('it was offered again', () => offered() === 2)
  })
})
