import { createGuard, deny, fly, type GuardOptions, policy, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, it, vi } from 'vitest'
import { handleOf } from './handle-of.ts'
import { type BunServer, bunServe } from './hosts/bun-serve.ts'
import { type DenoInfo, denoServe } from './hosts/deno-serve.ts'
import { type WorkerContext, workers } from './hosts/workers.ts'
import { ipguard } from './ipguard.ts'
import { protect } from './protect.ts'

const peer = (): string => '203.0.113.7'
const request = (headers: Record<string, string> = {}): Request => new Request('http://localhost/', { headers })
const hello = (asked: Request): Response => new Response(handleOf(asked)?.decision.client?.ip ?? 'nobody')

describe('protect', () => {
  it('lets the handler see the decision, and what the host passes', async () => {
    const handler = (asked: Request, env: { readonly name: string }, ctx: string): Response =>
      new Response([handleOf(asked)?.decision.client?.ip, env.name, ctx].join(' '))
    const guarded = protect({ policies: [] }, handler, { peer })
    expect(await (await guarded(request(), { name: 'env' }, 'ctx')).text()).toBe('203.0.113.7 env ctx')
  })

  it('refuses in place of the handler, by a guard or the options of one', async () => {
    const handler = vi.fn(hello)
    const options = { policies: [deny(['203.0.113.0/24'])] }
    for (const given of [options, createGuard(options)])
      expect((await protect(given, handler, { peer })(request())).status).toBe(403)
    expect(handler).not.toHaveBeenCalled()
  })

  it('counts a request once, however often one guard stands before it', async () => {
    const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 2, window: '60s' })] })
    const guarded = protect(guard, protect(guard, hello, { peer }), { peer })
    const statuses = [await guarded(request()), await guarded(request()), await guarded(request())]
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429])
  })

  it('leaves alone what a handler on Bun answers for a WebSocket: nothing', async () => {
    const upgrade = (_request: Request, server: { readonly upgrade: boolean }): Response | undefined =>
      server.upgrade ? undefined : new Response('no')
    const guarded = protect({ policies: [rateLimit({ limit: 9, window: '60s' })] }, upgrade, { peer })
    expect(await guarded(request(), { upgrade: true })).toBeUndefined()
    expect((await guarded(request(), { upgrade: false }))?.headers.get('ratelimit')).toContain('r=7')
  })

  it('rejects with the errors of facts and of the handler', async () => {
    const fail = (): never => {
      throw new Error('on purpose')
    }
    await expect(protect({ policies: [] }, hello, { peer, facts: fail })(request())).rejects.toThrow('on purpose')
    await expect(protect({ policies: [] }, fail, { peer })(request())).rejects.toThrow('on purpose')
  })

  it('gives facts what the host passes, and the host the background work', async () => {
    const waitUntil = vi.fn()
    const seen: unknown[] = []
    const work = Promise.resolve()
    const watch = policy<string>({
      name: 'watch',
      evaluate: ({ facts, waitUntil: keep }) => {
        seen.push(facts)
        keep?.(work)
        return undefined
      },
    })
    const facts = (_asked: Request, env: { readonly plan: string }): string => env.plan
    const guarded = protect({ policies: [watch] }, hello, { peer, facts, waitUntil })
    const asked = request()
    await guarded(asked, { plan: 'gold' })
    expect(seen).toEqual(['gold'])
    expect(waitUntil.mock.calls).toEqual([[work, asked, { plan: 'gold' }, undefined]])
  })
})

describe('protect with a function that makes the guard', () => {
  const options: GuardOptions = { policies: [rateLimit({ limit: 1, window: '60s' })] }

  it('calls it once, at the first request, with what follows the request', async () => {
    const make = vi.fn((_env: { readonly name: string }, _ctx: string) => options)
    const guarded = protect(make, hello, { peer })
    expect(make).not.toHaveBeenCalled()
    const answers = [await guarded(request(), { name: 'a' }, 'x'), await guarded(request(), { name: 'b' }, 'y')]
    expect(answers.map(({ status }) => status)).toEqual([200, 429])
    expect(make.mock.calls).toEqual([[{ name: 'a' }, 'x']])
  })

  it('fails the request where it throws, and tries again at the next', async () => {
    const make = vi
      .fn(() => createGuard({ ...options, store: memoryStore() }))
      .mockImplementationOnce(() => {
        throw new Error('no binding')
      })
    const guarded = protect(make, hello, { peer })
    await expect(guarded(request())).rejects.toThrow('no binding')
    expect((await guarded(request())).status).toBe(200)
    expect((await guarded(request())).status).toBe(429)
    expect(make).toHaveBeenCalledTimes(2)
  })

  it('fails every request that has no connection, with the same guard', async () => {
    const make = vi.fn(() => options)
    const guarded = protect(make, hello)
    for (let i = 0; i < 2; i++) await expect(guarded(request())).rejects.toMatchObject({ code: 'IPGUARD_PEER_MISSING' })
    expect(make).toHaveBeenCalledTimes(1)
  })
})

describe('where nothing names the connection', () => {
  it.each([
    ['protect', () => protect({ policies: [] }, hello)],
    ['protect, with no more than waitUntil', () => protect({ policies: [] }, hello, { waitUntil: () => {} })],
    ['ipguard', () => ipguard({ policies: [] })],
  ])('%s throws when it is created', (_name, create) => {
    expect(create).toThrow(expect.objectContaining({ code: 'IPGUARD_PEER_MISSING' }))
  })

  it('a platform that sets the header needs none', async () => {
    const guarded = protect({ clientIp: fly(), policies: [] }, hello)
    expect(await (await guarded(request({ 'Fly-Client-IP': '198.51.100.7' }))).text()).toBe('198.51.100.7')
  })

  it('a function that says so is believed: there is no client', async () => {
    const guarded = protect({ policies: [], onUnknownClient: 'evaluate' }, hello, { peer: () => undefined })
    expect(await (await guarded(request())).text()).toBe('nobody')
  })
})

describe('ipguard', () => {
  it('guards what has a next, and shows its guard', async () => {
    const guarded = ipguard({ policies: [rateLimit({ limit: 9, window: '60s' })] }, { peer })
    const asked = request()
    const next = vi.fn(() => hello(asked))
    const answer = await guarded(asked, next)
    expect([answer.headers.get('ratelimit-policy'), await answer.text()]).toEqual(['"9-in-60s";q=9;w=60', peer()])
    await guarded.guard.ban(peer(), { for: '1h' })
    expect([(await guarded(request(), next)).status, next.mock.calls.length]).toEqual([403, 1])
  })
})

it.each([
  [{ policies: [], polices: [] }, { peer }, 'IPGUARD_OPTION_UNKNOWN'],
  [{ policies: [] }, { peer, wait: true }, 'IPGUARD_OPTION_UNKNOWN'],
  [{ policies: [] }, { peer: '203.0.113.7' }, 'IPGUARD_OPTION_INVALID'],
  [{ policies: [] }, { peer, incoming: {} }, 'IPGUARD_OPTION_INVALID'],
  [undefined, { peer }, 'IPGUARD_OPTION_INVALID'],
])('refuses %j with %j when it is created', (given, options, code) => {
  for (const create of [
    () => protect(given as never, hello, options as never),
    () => ipguard(given as never, options as never),
  ])
    expect(create).toThrow(expect.objectContaining({ code }))
})

it('types what the hosts pass, from whoever reads it', () => {
  interface Env {
    readonly KEY: string
  }
  type Bun = (request: Request, server: BunServer & { readonly pendingRequests: number }) => Promise<Response>
  type Deno = (request: Request, info: DenoInfo & { readonly completed: Promise<void> }) => Promise<Response>
  type Worker = (
    request: Request,
    env: Env,
    ctx: WorkerContext & { passThroughOnException(): void },
  ) => Promise<Response>
  const guard = createGuard({ policies: [] })
  const plain: (request: Request) => Promise<Response> = protect(guard, hello, { peer })
  const bun: Bun = protect(guard, hello, bunServe)
  const deno: Deno = protect(guard, hello, { ...denoServe, facts: (asked) => asked.url })
  const worker: Worker = protect((env: Env) => ({ policies: [deny([env.KEY])] }), hello, workers)
  const handled: Worker = protect(
    { policies: [], clientIp: fly() },
    (_request, env: Env) => new Response(env.KEY),
    workers,
  )
  const optional = protect(guard, (_request, env?: object) => new Response(env ? 'env' : ''), { peer })
  // @ts-expect-error the server is what bunServe asks
  const wrong = (): unknown => protect(guard, hello, bunServe)(request())
  // @ts-expect-error the facts of the guard are another shape
  const facts = (): unknown => protect(createGuard<string>({ policies: [] }), hello, { peer, facts: () => 1 })
  expect([plain, bun, deno, worker, handled, optional(request()), wrong, facts]).toHaveLength(8)
})
