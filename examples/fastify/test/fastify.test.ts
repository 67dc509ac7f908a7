import { type RunningExample, startExample } from '@ipguard/tools'
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
  expect(response.headers.get('RateLimit')).toMatch(/;r=9;/)
})

it.each(['198.51.100.9', '2001:db8:bad::1', '203.0.113.7, 198.51.100.9'])('keeps %s out', async (from) => {
  const response = await ask(from)
  expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ reason: 'denied' })])
  expect((await ask(from, '/nowhere')).status).toBe(403)
})

it('answers everybody who asks for its health', async () => {
  const response = await ask('198.51.100.9', '/health')
  expect([await response.text(), response.headers.get('RateLimit')]).toEqual(['ok', null])
  expect((await ask('198.51.100.9', '/health', { method: 'HEAD' })).status).toBe(200)
})

it('limits by the plan that the application knows', async () => {
  expect(await statuses(11, () => ask('203.0.113.9'))).toEqual([...Array<number>(10).fill(200), 429])
  const gold = { headers: { 'X-Api-Key': 'key-of-a-gold-customer' } }
  expect(new Set(await statuses(50, () => ask('203.0.113.10', '/', gold)))).toEqual(new Set([200]))
})

it('bans who gets the password wrong three times, and nobody who knows it', async () => {
  const login = (password: string): RequestInit => ({
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`demo:${password}`)}` },
  })
  expect(await statuses(4, () => ask('203.0.113.8', '/login', login('wrong')))).toEqual([401, 401, 401, 403])
  expect((await ask('203.0.113.8')).status).toBe(403)
  expect(new Set(await statuses(15, () => ask('203.0.113.18', '/login', login('demo'))))).toEqual(new Set([200]))
})
