import { cloudflareWorkers } from '@ipguard/core'
import { describe, expect, it, vi } from 'vitest'
import type { FetchHost } from '../fetch-host.ts'
import { handleOf } from '../handle-of.ts'
import { protect } from '../protect.ts'
import { bunServe } from './bun-serve.ts'
import { denoServe } from './deno-serve.ts'
import { nodeServer } from './node-server.ts'
import { srvx } from './srvx.ts'
import { workers } from './workers.ts'

const NODE = { headers: {}, rawHeaders: [], socket: { remoteAddress: '203.0.113.7', destroyed: false } }
const request = (more: object = {}): Request => Object.assign(new Request('http://localhost/'), more)
const client = (asked: Request): Response => new Response(handleOf(asked)?.decision.client?.ip ?? 'nobody')

/** Whom a guard that goes by the connection takes a request for; `given` is what the host passes. */
async function clientBy(host: FetchHost<never, never>, asked: Request, given?: unknown): Promise<string> {
  const guarded = protect({ policies: [], onUnknownClient: 'evaluate', clientIp: {} }, client, host as FetchHost)
  return (await (guarded as (asked: Request, given: unknown) => Promise<Response>)(asked, given)).text()
}

describe('the client', () => {
  it.each<readonly [string, FetchHost<never, never>, object, unknown, string]>([
    ['on Bun', bunServe, {}, { requestIP: () => ({ address: '::ffff:203.0.113.7' }), port: 80 }, '203.0.113.7'],
    ['on Bun, gone', bunServe, {}, { requestIP: () => null, port: 80 }, 'nobody'],
    ['on Deno', denoServe, {}, { remoteAddr: { transport: 'tcp', hostname: '203.0.113.7' } }, '203.0.113.7'],
    ['on Deno over vsock', denoServe, {}, { remoteAddr: { transport: 'vsock' } }, 'nobody'],
    ['on node-server', nodeServer, {}, { incoming: NODE }, '203.0.113.7'],
    ['of srvx on Node', srvx, { runtime: { node: { req: NODE } } }, undefined, '203.0.113.7'],
    [
      'of srvx on Bun',
      srvx,
      { runtime: { bun: { server: { requestIP: () => ({ address: '203.0.113.7' }) } } } },
      undefined,
      '203.0.113.7',
    ],
    [
      'of srvx on Deno',
      srvx,
      { runtime: { deno: { info: { remoteAddr: { hostname: '203.0.113.7' } } } } },
      undefined,
      '203.0.113.7',
    ],
    [
      'of srvx is not what it reads in headers',
      srvx,
      { ip: '6.6.6.6', runtime: { node: { req: NODE } } },
      undefined,
      '203.0.113.7',
    ],
  ])('%s', async (_what, host, more, given, expected) => {
    expect(await clientBy(host, request(more), given)).toBe(expected)
  })
})

describe('a unix-domain socket', () => {
  it.each<readonly [string, string | undefined]>([
    ['Bun', bunServe.peer(request(), { requestIP: () => null })],
    ['Deno', denoServe.peer(request(), { remoteAddr: { transport: 'unix' } })],
  ])('of %s is told', (_name, peer) => {
    expect(peer).toBe('unix')
  })
})

describe('a host that passes nothing', () => {
  it.each<readonly [string, FetchHost<never, never>]>([
    ['Bun', bunServe],
    ['Deno', denoServe],
    ['node-server', nodeServer],
    ['srvx', srvx],
  ])('%s is an error, not a denial of everybody', async (_name, host) => {
    await expect(clientBy(host, request())).rejects.toMatchObject({ code: 'IPGUARD_PEER_MISSING' })
  })

  it('is none where a platform names the client', async () => {
    const asked = new Request('http://localhost/', { headers: { 'CF-Connecting-IP': '198.51.100.7' } })
    const guarded = protect({ policies: [], clientIp: cloudflareWorkers() }, client, srvx)
    expect(await (await guarded(asked)).text()).toBe('198.51.100.7')
  })
})

it('background work is kept by what the host has for it', () => {
  const ctx = { waitUntil: vi.fn() }
  const work = Promise.resolve()
  workers.waitUntil(work, request(), {}, ctx)
  srvx.waitUntil(work, request(ctx))
  srvx.waitUntil(work, request())
  expect(ctx.waitUntil.mock.calls).toEqual([[work], [work]])
})
