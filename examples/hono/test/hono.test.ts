import { type RunningExample, startExample } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it } from 'vitest'

let site: RunningExample

beforeAll(async () => {
  site = await startExample(new URL('../app.ts', import.meta.url))
})
afterAll(() => site?.stop())

/** One answer after the other to one caller, as nginx would pass the requests on. */
async function answers(
  from: string,
  paths: readonly string[],
  headers: Record<string, string> = {},
): Promise<Response[]> {
  const all: Response[] = []
  for (const path of paths) all.push(await fetch(site.url + path, { headers: { ...headers, 'X-Forwarded-For': from } }))
  return all
}

const times = (count: number, path: string): string[] => Array<string>(count).fill(path)
const statusOf = ({ status }: Response): number => status

it('lets a client in, and says how much of the limit is left', async () => {
  const [response] = await answers('203.0.113.7', ['/'])
  expect(await response?.text()).toBe('Welcome, 203.0.113.7.\n')
  expect(response?.headers.get('RateLimit')).toMatch(/^"20-in-60s";r=19;/)
})

it.each(['198.51.100.9', '2001:db8:bad::1', '203.0.113.7, 198.51.100.9'])('keeps %s out', async (from) => {
  const [response] = await answers(from, ['/api/orders'], { Authorization: 'Bearer demo' })
  expect([response?.status, await response?.json()]).toEqual([403, expect.objectContaining({ reason: 'denied' })])
})

it('limits searches more than pages, and counts both for the site', async () => {
  const all = await answers('203.0.113.8', [...times(4, '/search?q=x'), '/'])
  expect(all.map(statusOf)).toEqual([200, 200, 200, 429, 200])
  expect(all[0]?.headers.get('RateLimit-Policy')).toBe('"20-in-60s";q=20;w=60, "3-in-60s";q=3;w=60')
  expect(all[4]?.headers.get('RateLimit')).toMatch(/r=15;/)
})

it('bans who guesses keys, and nobody who has one', async () => {
  const guesses = await answers('203.0.113.9', times(5, '/api/orders'), { Authorization: 'Bearer guess' })
  expect(guesses.map(statusOf)).toEqual([401, 401, 401, 403, 403])
  const orders = await answers('203.0.113.10', times(6, '/api/orders'), { Authorization: 'Bearer demo' })
  expect(new Set(orders.map(statusOf))).toEqual(new Set([200]))
})

it('lets the shop read why it was limited, and for how long', async () => {
  const all = await answers('203.0.113.11', times(4, '/search'), { Origin: 'https://shop.example' })
  const { status, headers } = all[3] as Response
  expect([status, headers.get('Access-Control-Allow-Origin')]).toEqual([429, 'https://shop.example'])
  expect(headers.get('Access-Control-Expose-Headers')).toBe('RateLimit, RateLimit-Policy, Retry-After')
  expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
})
