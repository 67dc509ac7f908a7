import { allow, deny, type GuardOptions, policy, rateLimit } from '@ipguard/core'
import { type AdapterCase, asReply, limitHeaders, replyTo } from './adapter-case.ts'
import type { SuiteFacts } from './adapter-driver.ts'
import type { RawRequest } from './raw-exchange.ts'

const ACCEPTS: readonly (string | undefined)[] = [
  undefined,
  '*/*',
  'application/json',
  'application/problem+json',
  'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
  'text/plain',
  'text/plain;q=0.5, text/html;q=0.4',
  'image/png',
]

const EVERYBODY = ['0.0.0.0/0', '::/0']
const LADDER = [{ name: 'graylist', ban: '1h' }] as const

/** One refusal of each kind. */
const REFUSALS: readonly {
  readonly kind: string
  readonly status: number
  readonly before: number
  readonly options: () => Partial<GuardOptions<SuiteFacts>>
}[] = [
  { kind: 'a denial', status: 403, before: 0, options: () => ({ policies: [deny(EVERYBODY)] }) },
  { kind: 'a limit', status: 429, before: 1, options: () => ({ policies: [rateLimit({ limit: 1, window: '1h' })] }) },
  {
    kind: 'a ban',
    status: 403,
    before: 2,
    options: () => ({ policies: [rateLimit({ limit: 1, window: '1h', ladder: LADDER })], banInfrastructure: true }),
  },
  {
    kind: 'a challenge',
    status: 403,
    before: 0,
    options: () => ({ policies: [policy({ name: 'doubt', evaluate: () => ({ action: 'challenge' }) })] }),
  },
]

export const refusalCases: readonly AdapterCase[] = [
  ...REFUSALS.map(
    ({ kind, status, before, options }): AdapterCase => ({
      name: `refusal: ${kind} is answered as reply() says, whatever is accepted`,
      async run({ expect, guard, serve }) {
        const watched = guard(options())
        const { send, reached } = await serve([watched])
        for (let i = 0; i < before; i++) await send('/hello')
        const passed = reached.length
        for (const accept of ACCEPTS) {
          const request: RawRequest = { target: '/hello', headers: accept === undefined ? [] : [['Accept', accept]] }
          const answer = await send(request)
          const reply = replyTo(watched, request)
          expect(asReply(answer, reply)).toEqual(reply)
          expect([answer.status, reached.length]).toEqual([status, passed])
        }
      },
    }),
  ),
  {
    name: 'refusal: a header in which the client cannot be read is no client',
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [allow(EVERYBODY)], clientIp: { header: 'x-real-ip', trust: ['loopback'] } })
      const { send, reached } = await serve([watched])
      const request: RawRequest = { target: '/hello', headers: [['X-Real-IP', 'unknown']] }
      const answer = await send(request)
      expect([answer.status, watched.decisions.at(-1)?.reason, reached]).toEqual([403, 'unknown-client', []])
      expect(asReply(answer, replyTo(watched, request))).toEqual(replyTo(watched, request))
    },
  },
  {
    name: 'refusal: HEAD is answered as reply() says, without a body',
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [deny(EVERYBODY)] })
      const { send, reached } = await serve([watched])
      const request = { method: 'HEAD', target: '/hello', headers: [['Accept', 'text/html']] } as const
      const answer = await send(request)
      const reply = replyTo(watched, request)
      expect(asReply(answer, reply)).toEqual(reply)
      expect([answer.status, answer.body, reached]).toEqual([403, '', []])
    },
  },
  {
    name: 'refusal: POST is refused as reply() says, before its body is read',
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [deny(EVERYBODY)] })
      const { send, reached } = await serve([watched])
      const request = { method: 'POST', target: '/echo', body: 'x'.repeat(1000) } as const
      const answer = await send(request)
      const reply = replyTo(watched, request)
      expect(asReply(answer, reply)).toEqual(reply)
      expect([answer.status, reached]).toEqual([403, []])
    },
  },
  {
    name: 'refusal: methods without a handler are refused too',
    needs: ['everywhere'],
    async run({ expect, guard, serve }) {
      const { send, reached } = await serve([guard({ policies: [deny(EVERYBODY)] })])
      for (const method of ['OPTIONS', 'DELETE', 'PATCH', 'PROPFIND'])
        expect([method, (await send({ method, target: '/hello' })).status]).toEqual([method, 403])
      expect(reached).toEqual([])
    },
  },
  {
    name: 'refusal: a path without a route is refused too',
    needs: ['everywhere'],
    async run({ expect, guard, serve }) {
      const { send } = await serve([guard({ policies: [deny(EVERYBODY)] })])
      expect((await send('/nowhere')).status).toEqual(403)
    },
  },
  {
    name: 'refusal: onRefused changes status, headers and body',
    async run({ expect, guard, serve }) {
      const changed = {
        status: 404,
        headers: { 'Content-Type': 'text/plain', 'X-Own': 'yes' },
        body: 'Nothing here: é',
      }
      const { send } = await serve([guard({ policies: [deny(EVERYBODY)], onRefused: () => changed })])
      expect(asReply(await send('/hello'), changed)).toEqual(changed)
    },
  },
  {
    name: 'refusal: headers that the application has set before stay, and lists go on',
    needs: ['before'],
    async run({ expect, guard, serve }) {
      const before = { 'Access-Control-Allow-Origin': '*', Vary: 'Origin' }
      const { send } = await serve([guard({ policies: [deny(EVERYBODY)] })], { before })
      const { status, headers } = await send('/hello')
      expect([status, headers['access-control-allow-origin'], headers.vary]).toEqual([403, '*', 'Origin, Accept'])
    },
  },
  {
    name: 'refusal: without RateLimit headers where they are off',
    async run({ expect, guard, serve }) {
      const { guard: limited } = guard({ policies: [rateLimit({ limit: 1, window: '1h' })] })
      const { send } = await serve([{ path: '/', guard: limited, headers: false }])
      await send('/hello')
      const answer = await send('/hello')
      expect([answer.status, limitHeaders(answer), 'retry-after' in answer.headers]).toEqual([429, {}, true])
    },
  },
  {
    name: 'refusal: exposeHeaders lets other origins read it',
    async run({ expect, guard, serve }) {
      const { guard: limited } = guard({ policies: [rateLimit({ limit: 0, window: '1h' })] })
      const { send } = await serve([{ path: '/', guard: limited, exposeHeaders: true }])
      const { headers } = await send('/hello')
      expect(headers['access-control-expose-headers']).toEqual('RateLimit, RateLimit-Policy, Retry-After')
    },
  },
]
