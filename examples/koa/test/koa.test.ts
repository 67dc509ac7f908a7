import { type RunningExample, startExample, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it } from 'vitest'

let site: RunningExample

beforeAll(async () => {
  site = await startExample(new URL('../app.ts', import.meta.url))
})
afterAll(() => site?.stop())

/** As nginx would pass it on. */
function ask(from: string, path = '/', init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('X-Forwarded-For', from)
  return fetch(site.url + path, { ...init, headers })
}

async function statuses(times: number, one: () => Promise<Response>): Promise<readonly number[]> {
  const all: number[] = []
  for (let i = 0; i < times; i++) all.push((await one()).status)
  return all
}

it('lets a client in, and says how much of the limit is left', async () => {
  const response = await ask('203.0.113.7')
  expect([response.status, await response.text()]).toEqual([200, 'Welcome, 203.0.113.7.\n'])
  expect(response.headers.get('RateLimit')).toMatch(/^"20-in-60s";r=19;/)
})

it.each(['198.51.100.9', '2001:db8:bad::1', '203.0.113.7, 198.51.100.9'])(
  'keeps %s out, and logs why',
  async (from) => {
    const response = await ask(from, `/from?${from.length}`)
    expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ reason: 'denied' })])
    await waitUntil('it is logged', () => site.output().includes(`GET /from?${from.length} 403 denied`))
  },
)

it('bans who gets the password wrong three times, and nobody who knows it', async () => {
  const login = (password: string): RequestInit => ({
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`demo:${password}`)}` },
  })
  expect(await statuses(5, () => ask('203.0.113.8', '/login', login('wrong')))).toEqual([401, 401, 401, 403, 403])
  expect((await ask('203.0.113.8')).status).toBe(403)
  expect(new Set(await statuses(25, () => ask('203.0.113.18', '/login', login('demo'))))).toEqual(new Set([200]))
})

it('limits, and bans who goes on', async () => {
  const all = await statuses(22, () => ask('203.0.113.9'))
  expect(all).toEqual([...Array<number>(20).fill(200), 429, 403])
})
