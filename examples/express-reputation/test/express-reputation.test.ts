import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSite } from '../app.ts'
import { startVendors, type Vendors } from '../vendors.ts'

const KEY = 'canary-of-the-example'
let vendors: Vendors
let site: ReturnType<typeof createSite>
let url = ''
let server: ReturnType<ReturnType<typeof createSite>['app']['listen']>

beforeAll(async () => {
  vendors = await startVendors(KEY)
  site = createSite({ vendors: vendors.url, ipasisKey: KEY, includePrivate: true })
  server = site.app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // of a TCP server
})
afterAll(async () => {
  server?.close()
  await site?.guard.close()
  await vendors?.stop()
})

/** As nginx would pass it on. */
async function ask(from: string, path = '/', method = 'GET'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + path, {
    method,
    headers: { 'x-forwarded-for': from, accept: 'application/json' },
  })
  const text = await response.text()
  expect(text).not.toContain(KEY)
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}

it('lets a stranger in, looks it up, and refuses it from then on', async () => {
  const first = await ask('203.0.113.66')
  expect(first).toEqual({ status: 200, body: { client: '203.0.113.66', pending: ['ipwhois', 'ipasis'] } })
  await waitUntil('the verdict is there', async () => (await ask('203.0.113.66')).status === 403)
  expect((await ask('203.0.113.66')).body).toMatchObject({ reason: 'denied' })
})

it('waits where accounts are at stake, and challenges who is doubtful', async () => {
  expect((await ask('203.0.113.166', '/login', 'POST')).status).toBe(200)
  expect(await ask('203.0.114.66', '/login', 'POST')).toMatchObject({ status: 403, body: { reason: 'denied' } })
  expect(await ask('203.0.113.50', '/login', 'POST')).toMatchObject({
    status: 403,
    body: { reason: 'challenge-required' },
  })
})

it('asks each source once about an address', async () => {
  const before = { ...vendors.asked }
  await Promise.all(Array.from({ length: 20 }, () => ask('203.0.113.80', '/login', 'POST')))
  expect(vendors.asked).toEqual({ ...before, ipwhois: before.ipwhois + 1, ipasis: before.ipasis + 1 })
})

it('says challenge-required to a Tor exit', async () => {
  await waitUntil('the verdict is there', async () => (await ask('203.0.113.9')).status === 403)
  expect((await ask('203.0.113.9')).body).toMatchObject({ reason: 'challenge-required' })
})

it('refuses what the feed lists, once it is loaded', async () => {
  await waitUntil('the feed is loaded', async () => (await ask('45.155.205.200')).status === 403)
  expect((await ask('45.155.205.200')).body).toMatchObject({ reason: 'denied' })
})
