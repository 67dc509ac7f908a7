import { expect, it } from 'vitest'
import { withHeaders } from './with-headers.ts'

const limits = { RateLimit: '"60-in-60s";r=59;t=60', 'RateLimit-Policy': '"60-in-60s";q=60;w=60' }

it('adds to the response itself where it can be changed', () => {
  const response = new Response('hello', { headers: { 'X-A': '1' } })
  expect(withHeaders(response, limits)).toBe(response)
  expect(Object.fromEntries(response.headers)).toMatchObject({ 'x-a': '1', ratelimit: limits.RateLimit })
})

it('makes a new one with the same body where it cannot', async () => {
  const upstream = await fetch('data:text/plain,hello')
  const response = withHeaders(upstream, limits)
  expect(response).not.toBe(upstream)
  expect([response.status, response.headers.get('ratelimit'), await response.text()]).toEqual([
    200,
    limits.RateLimit,
    'hello',
  ])
})

it('keeps status and text of a redirect', () => {
  const { status, headers } = withHeaders(Response.redirect('https://example.com/', 303), limits)
  expect([status, headers.get('location'), headers.get('ratelimit')]).toEqual([
    303,
    'https://example.com/',
    limits.RateLimit,
  ])
})

it('joins lists, and leaves alone what else the response says', () => {
  const response = new Response('', { headers: { Vary: 'Origin', RateLimit: '"login";r=1;t=9' } })
  const { headers } = withHeaders(response, { ...limits, Vary: 'Accept' })
  expect([headers.get('vary'), headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([
    'Origin, Accept',
    '"login";r=1;t=9',
    limits['RateLimit-Policy'],
  ])
})

it('does nothing to a response that changes protocols, or for no headers', () => {
  const upgrade = { status: 101, headers: new Headers() } as Response // Node makes none
  expect(withHeaders(upgrade, limits)).toBe(upgrade)
  expect([...upgrade.headers]).toEqual([])
  const response = new Response('')
  expect(withHeaders(response, {})).toBe(response)
})
