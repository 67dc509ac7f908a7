import type { RunningProcess } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ask, type Question } from './ask.ts'
import { startExample } from './start-example.ts'

const DENIED = '127.0.0.9'
let server: RunningProcess

beforeAll(async () => {
  server = await startExample('next')
}, 300_000)
afterAll(() => server?.stop())

let last = 20
/** A client that has asked nothing yet. */
const stranger = (): string => `127.0.0.${++last}`
const from = (client: string, path: string, question?: Question): Promise<Answer> =>
  ask(server.port, client, path, question)

it('lets a page be seen, with the limit', async () => {
  const { status, headers, body } = await from(stranger(), '/')
  expect([status, headers.ratelimit]).toEqual([200, expect.stringMatching(/^"60-in-60s";r=59;/)])
  expect(body).toContain('<h1>Welcome</h1>')
})

it.each(['/hello', '/api/hello'])(
  'tells %s the decision that the proxy has made: one request counts once',
  async (path) => {
    const client = stranger()
    const [first, second] = [await from(client, path), await from(client, path)]
    expect(JSON.parse(first.body)).toMatchObject({ client, limits: [{ remaining: 59 }] })
    expect(JSON.parse(second.body)).toMatchObject({ client, limits: [{ remaining: 58 }] })
  },
)

describe('a denied client', () => {
  it.each([
    '/',
    '/?_rsc=1',
    '/hello',
    '/api/hello',
    '/login',
    '/nothing-here',
    '/_next/image?url=%2Fa.png&w=32&q=75',
    '//hello',
    '/./hello',
    '/%68ello',
  ])('is refused %s', async (path) => {
    const forged = { 'X-Forwarded-For': '192.0.2.1', 'X-Real-IP': '192.0.2.1', Forwarded: 'for=192.0.2.1' }
    const { status, headers } = await from(DENIED, path, { headers: forged })
    // A path of another spelling may be sent to the usual one first; there it is refused.
    expect([403, 308]).toContain(status)
    if (status === 308) expect((await from(DENIED, String(headers.location), { headers: forged })).status).toBe(403)
  })

  it('is told so on a page for people', async () => {
    const { status, headers, body } = await from(DENIED, '/', { headers: { Accept: 'text/html' } })
    expect([status, headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
    expect(body).toContain('<h1>Access denied</h1>')
  })

  it('gains nothing by a header of Next’s own', async () => {
    const headers = { 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy', 'x-middleware-next': '1' }
    expect((await from(DENIED, '/hello', { headers })).status).toBe(403)
    expect((await from(stranger(), '/hello', { headers })).status).toBe(403)
  })
})

it('limits a server action by its own policy, and answers what the application makes of it', async () => {
  const client = stranger()
  const { body } = await from(client, '/login')
  const name = /name="(\$ACTION_ID_[0-9a-f]+)"/.exec(body)?.[1]
  expect(name).toBeDefined()
  const logIn = async (password: string): Promise<string> => {
    const form = new FormData()
    form.set(name!, '')
    form.set('password', password)
    const { status, headers } = await from(client, '/login', { method: 'POST', form })
    return `${status} ${String(headers.location)}`
  }
  expect([await logIn('guess'), await logIn('open sesame'), await logIn('guess'), await logIn('open sesame')]).toEqual([
    '303 /login?wrong',
    '303 /',
    '303 /login?wrong',
    expect.stringMatching(/^303 \/login\?wait=\d+$/),
  ])
})
