import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rawExchange } from '@ipguard/conformance'
import { type RunningExample, startExample, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'ipguard-example-node-'))
const snapshot = join(folder, 'bans.snapshot')
let site: RunningExample

const start = (): Promise<RunningExample> => startExample(new URL('../app.ts', import.meta.url), { SNAPSHOT: snapshot })

beforeAll(async () => {
  site = await start()
})
afterAll(async () => {
  await site?.stop()
  rmSync(folder, { recursive: true })
})

/** As nginx would pass it on. */
function ask(from: string, path = '/'): Promise<Response> {
  return fetch(site.url + path, { headers: { 'X-Forwarded-For': from } })
}

it('lets a client in, and says how much of the limit is left', async () => {
  const response = await ask('203.0.113.77')
  expect([response.status, await response.text()]).toEqual([200, 'Welcome, 203.0.113.77.\n'])
  expect(response.headers.get('RateLimit')).toMatch(/^"20-in-60s";r=19;/)
})

it.each(['198.51.100.9', '2001:db8:bad::1', '203.0.113.7, 198.51.100.9'])('keeps %s out', async (from) => {
  const response = await ask(from)
  expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ reason: 'denied' })])
})

it('lets some networks alone come to a path, however it is written', async () => {
  const paths = ['/internal', '/internal/', '//internal', '/INTERNAL', '/%69nternal', '/x/../internal']
  for (const path of paths) {
    const { status } = await rawExchange(
      { host: '127.0.0.1', port: site.port },
      { target: path, headers: [['X-Forwarded-For', '203.0.113.77']] },
    )
    expect([path, status]).toEqual([path, 403])
  }
  expect(await (await ask('203.0.113.7', '/internal')).text()).toBe('Only for us.\n')
})

it('meets handshakes too', async () => {
  const handshake = async (from: string): Promise<number> => {
    const headers = [
      ['X-Forwarded-For', from],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'hello'],
    ] as const
    const { status } = await rawExchange({ host: '127.0.0.1', port: site.port }, { target: '/', headers, early: '\n' })
    return status
  }
  expect([await handshake('203.0.113.78'), await handshake('198.51.100.9')]).toEqual([101, 403])
})

it('limits, bans who goes on, and keeps the ban over a restart', async () => {
  const all: number[] = []
  for (let i = 0; i < 22; i++) all.push((await ask('203.0.113.9')).status)
  expect(all).toEqual([...Array<number>(20).fill(200), 429, 403])
  await waitUntil('the ban is saved', () => (statSync(snapshot, { throwIfNoEntry: false })?.size ?? 0) > 0)
  await site.stop()
  site = await start()
  expect([(await ask('203.0.113.9')).status, (await ask('203.0.113.19')).status]).toEqual([403, 200])
})
