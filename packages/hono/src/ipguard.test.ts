import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createGuard, deny, ipguard, policy, type Reply } from './index.ts'

// Here with the Response of the runtime itself, as on Bun, Deno and Workers; `@hono/node-server` has one of its own.

const EVERYBODY = ['0.0.0.0/0', '::/0']
const peer = (): string => '203.0.113.7'
const native = globalThis.Response

async function ask(app: Hono, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  expect(globalThis.Response).toBe(native)
  return app.fetch(new Request('http://localhost/', { method, headers }))
}

async function replyOf(answer: Response, like: Reply): Promise<Reply> {
  const names = Object.keys(like.headers)
  const headers = Object.fromEntries(names.map((name) => [name, answer.headers.get(name) ?? '(absent)']))
  return { status: answer.status, headers, body: await answer.text() }
}

describe('a refusal', () => {
  it.each([
    ['JSON', { Accept: 'application/json' }, 'GET'],
    ['HTML', { Accept: 'text/html' }, 'GET'],
    ['text', { Accept: 'text/plain' }, 'GET'],
    ['nothing', {}, 'HEAD'],
  ])('is that of reply(), as %s', async (_type, headers, method) => {
    const guard = createGuard({ policies: [deny(EVERYBODY)] })
    const replies: Reply[] = []
    const answer = await ask(new Hono().use(ipguard({ ...reporting(replies), policies: [deny(EVERYBODY)] }, { peer })), headers, method)
    expect(guard.needsPeer).toBe(true)
    expect(await replyOf(answer, replies[0] as Reply)).toEqual(replies[0])
  })

  it('keeps what was set before it, and wins over it', async () => {
    const app = new Hono().use(async (c, next) => {
      for (const [name, value] of Object.entries({ 'X-Trace': '7', 'Cache-Control': 'public', Vary: 'Cookie' }))
        c.header(name, value)
      await next()
    })
    const { headers } = await ask(app.use(ipguard({ policies: [deny(EVERYBODY)] }, { peer })))
    expect(['x-trace', 'cache-control', 'vary'].map((name) => headers.get(name))).toEqual(['7', 'no-store', 'Cookie, Accept'])
  })

  it('is alone where it is the only thing that the app has', async () => {
    const late = policy({ name: 'late', evaluate: async () => ({ action: 'deny' }) })
    const app = new Hono().get('/', ipguard({ policies: [late] }, { peer }), (c: Context) => c.text('in'))
    expect((await ask(app)).status).toBe(403)
  })
})

/** What the guard would have answered. */
function reporting(replies: Reply[]): { readonly onRefused: (reply: Reply) => Reply } {
  return { onRefused: (reply) => (replies.push(reply), reply) }
}
