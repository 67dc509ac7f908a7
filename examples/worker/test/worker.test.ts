import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Site, startSite } from '../start-site.ts'

/** The first run on a machine installs workerd. */
const INSTALL = 180_000

let sites: readonly Site[] = []

beforeAll(async () => {
  const denied = '198.51.100.0/24,2001:db8:bad::/48'
  // Two isolates, as Cloudflare runs any number of them.
  const first = await startSite(denied)
  sites = [first]
  sites = [first, await startSite(denied)]
}, INSTALL)

afterAll(async () => {
  for (const site of sites) await site.stop()
})

/** Each test has a client of its own, as Cloudflare would name it. */
function ask(client: string | undefined, path = '/', init: RequestInit = {}, site = sites[0]): Promise<Response> {
  const headers = new Headers(init.headers)
  if (client !== undefined) headers.set('CF-Connecting-IP', client)
  return fetch(`${site?.url}${path}`, { ...init, headers })
}

async function statuses(times: number, one: () => Promise<Response>): Promise<readonly number[]> {
  const all: number[] = []
  for (let i = 0; i < times; i++) all.push((await one()).status)
  return all
}

const times = (count: number, status: number): readonly number[] => Array<number>(count).fill(status)
const login = (password: string): RequestInit => ({
  method: 'POST',
  headers: { Authorization: `Basic ${btoa(`demo:${password}`)}` },
})

it('lets a client in that Cloudflare names, and says how much of the limit is left', async () => {
  const response = await ask('203.0.113.1')
  expect([response.status, await response.text()]).toEqual([200, 'Welcome, 203.0.113.1.\n'])
  expect(response.headers.get('RateLimit')).toContain('r=19')
})

it('takes no other header for the client', async () => {
  const response = await ask('203.0.113.2', '/', {
    headers: { 'X-Forwarded-For': '192.0.2.6', 'X-Real-IP': '192.0.2.6' },
  })
  expect(await response.text()).toBe('Welcome, 203.0.113.2.\n')
})

it('refuses whom nobody names: it was not called by Cloudflare', async () => {
  const response = await ask(undefined)
  expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ reason: 'unknown-client' })])
})

it.each(['198.51.100.7', '2001:db8:bad:1::7', '::ffff:198.51.100.7'])(
  'keeps %s out, whom a variable names',
  async (client) => {
    expect((await ask(client)).status).toBe(403)
  },
)

it('limits a client, and bans it for an hour', async () => {
  const one = (): Promise<Response> => ask('203.0.113.3')
  expect(await statuses(20, one)).toEqual(times(20, 200))
  const limited = await one()
  expect([limited.status, Number(limited.headers.get('Retry-After'))]).toEqual([429, 3_600])
  expect((await one()).status).toBe(403)
  expect((await ask('203.0.113.4')).status).toBe(200)
})

it('counts a /64 of IPv6 as one client', async () => {
  let host = 0
  expect(await statuses(21, () => ask(`2001:db8:1:2::${++host}`))).toEqual([...times(20, 200), 429])
  expect((await ask('2001:db8:1:3::1')).status).toBe(200)
})

it('counts failed logins, and gives back those that succeed', async () => {
  const one = (password: string) => (): Promise<Response> => ask('203.0.113.5', '/login', login(password))
  expect(await statuses(8, one('demo'))).toEqual(times(8, 200))
  expect(await statuses(3, one('wrong'))).toEqual(times(3, 401))
  expect((await one('demo')()).status).toBe(403)
})

it('counts in each isolate by itself: what the other one has seen, this one does not know', async () => {
  const [first, second] = sites
  expect(await statuses(22, () => ask('203.0.113.6', '/', {}, first))).toEqual([...times(20, 200), 429, 403])
  expect(await statuses(22, () => ask('203.0.113.6', '/', {}, second))).toEqual([...times(20, 200), 429, 403])
})
