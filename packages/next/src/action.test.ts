import type { IncomingMessage } from 'node:http'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { guardAction } from './action.ts'
import { createGuard, deny, ipguard, memoryStore, rateLimit } from './index.ts'
import { withPeer } from './peer.ts'

/** What Next would give; the real one is in the example's test. */
const given = vi.hoisted(() => ({ headers: {} as Record<string, string> }))
vi.mock('next/headers.js', () => ({ headers: async () => new Headers(given.headers) }))

beforeEach(() => {
  given.headers = {}
})

const denied = deny(['203.0.113.0/24'])
const clientIp = { header: 'x-real-ip', originUnreachable: true } as const

function onConnection<T>(remoteAddress: string, run: () => T): T {
  const socket = { remoteAddress }
  const request = { url: '/login?a', headersDistinct: {}, rawHeaders: [], socket }
  return withPeer(run)(request as unknown as IncomingMessage) // as much of it as is read
}

describe('by a header of the platform', () => {
  it('runs the action with the handle and its arguments, or answers what the application makes of the decision', async () => {
    const action = guardAction(
      { clientIp, policies: [denied] },
      ({ decision }, form: string, more: number) => [decision.client?.ip, form, more],
      ({ reason }) => ({ reason }),
    )
    given.headers = { 'x-real-ip': '192.0.2.1' }
    expect(await action('form', 2)).toEqual(['192.0.2.1', 'form', 2])
    given.headers = { 'x-real-ip': '203.0.113.7' }
    expect(await action('form', 2)).toEqual({ reason: 'denied' })
  })

  it('throws what `refused` throws, as `redirect` does', async () => {
    given.headers = { 'x-real-ip': '203.0.113.7' }
    const refused = (): never => {
      throw new Error('NEXT_REDIRECT')
    }
    await expect(guardAction({ clientIp, policies: [denied] }, () => 1, refused)()).rejects.toThrow('NEXT_REDIRECT')
  })

  it('tells the policies facts', async () => {
    const policies = [deny(['0.0.0.0/0'], { when: (_request, _client, facts) => facts === 'bad' })]
    const facts = (headers: { get(name: string): string | null | undefined }) => headers.get('x-who')
    const action = guardAction(
      { clientIp, policies },
      () => 'in',
      () => 'out',
      { facts },
    )
    given.headers = { 'x-real-ip': '192.0.2.1', 'x-who': 'bad' }
    expect(await action()).toBe('out')
    given.headers = { 'x-real-ip': '192.0.2.1' }
    expect(await action()).toBe('in')
  })
})

describe('by the connection', () => {
  it('throws at creation where nothing tells it', () => {
    expect(() =>
      guardAction(
        { policies: [denied] },
        () => 1,
        () => 2,
      ),
    ).toThrow(expect.objectContaining({ code: 'IPGUARD_PEER_MISSING' }))
  })

  it('asks the policies of the action about a request that the proxy has let in, and counts once', async () => {
    await onConnection('192.0.2.1', async () => {
      const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 9, window: '60s' })] })
      const login = guard.with({ policies: [rateLimit({ name: 'login', limit: 3, window: '60s' })] })
      const action = guardAction(
        login,
        ({ decision }) => decision.limits?.map((each) => each.remaining),
        () => 'out',
      )
      await ipguard(guard)(new Request('http://localhost/login?a', { method: 'POST' }))
      expect(await action()).toEqual([8, 2])
    })
  })
})

it('refuses options it does not have', () => {
  const create = () =>
    guardAction(
      { clientIp, policies: [] },
      () => 1,
      () => 2,
      { headers: true } as never,
    )
  expect(create).toThrow(expect.objectContaining({ code: 'IPGUARD_OPTION_UNKNOWN' }))
})
