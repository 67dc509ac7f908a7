import { allow, allowHeaders, rateLimit } from '@ipguard/core'
import { type AdapterCase, type AdapterKit, limitHeaders } from './adapter-case.ts'
import type { RawRequest } from './raw-exchange.ts'
import { COOKIES } from './suite-routes.ts'

/** Requests whose answers a guard that lets them in must not change. */
const PLAIN: readonly RawRequest[] = [
  { target: '/hello' },
  { target: '/hello?x=%00&y[]=1' },
  { method: 'HEAD', target: '/hello' },
  { target: '/failing' },
  { method: 'POST', target: '/echo', body: 'à body' },
]

/** The like, where no handler is. */
const UNROUTED: readonly RawRequest[] = [
  { method: 'OPTIONS', target: '/hello' },
  { method: 'DELETE', target: '/hello' },
  { target: '/nowhere' },
]

/** Answers that are let in. */
export const answerCases: readonly AdapterCase[] = [
  {
    name: 'answer: byte for byte the unguarded one, where nothing counts',
    async run({ expect, guard, serve }) {
      const bare = await serve([])
      const guarded = await serve([guard({ policies: [allow(['192.0.2.1'])] })])
      for (const request of [...PLAIN, ...UNROUTED])
        expect((await guarded.send(request)).bytes).toEqual((await bare.send(request)).bytes)
      expect(guarded.reached).toEqual(bare.reached)
    },
  },
  {
    name: 'answer: byte for byte the unguarded one, where headers are off',
    async run({ expect, guard, serve }) {
      const bare = await serve([])
      const limited = guard({ policies: [rateLimit({ limit: 99, window: '1h' })] }).guard
      const guarded = await serve([{ path: '/', guard: limited, headers: false }])
      for (const request of [...PLAIN, ...UNROUTED])
        expect((await guarded.send(request)).bytes).toEqual((await bare.send(request)).bytes)
    },
  },
  {
    name: 'answer: the unguarded one with RateLimit headers',
    run: (kit) => onlyLimitHeaders(kit, PLAIN),
  },
  {
    name: 'answer: the unguarded one with RateLimit headers, where no handler is',
    needs: ['everywhere'],
    run: (kit) => onlyLimitHeaders(kit, UNROUTED),
  },
  {
    name: 'answer: exposeHeaders lets other origins read the RateLimit headers',
    async run({ expect, guard, serve }) {
      const limited = guard({ policies: [rateLimit({ limit: 99, window: '1h' })] }).guard
      const { send } = await serve([{ path: '/', guard: limited, exposeHeaders: true }])
      const { headers } = await send('/hello')
      expect(headers['access-control-expose-headers']).toEqual('RateLimit, RateLimit-Policy, Retry-After')
    },
  },
  {
    name: 'answer: every cookie that a handler sets arrives in a line of its own',
    async run({ expect, guard, serve }) {
      const { send } = await serve([guard({ policies: [rateLimit({ limit: 99, window: '1h' })] })])
      const { bytes, headers } = await send('/cookies')
      const lines = [...bytes.matchAll(/\r\nset-cookie: *([^\r]*)/gi)].map(([, value]) => value)
      expect([lines, headers.ratelimit !== undefined]).toEqual([COOKIES, true])
    },
  },
  {
    name: 'answer: headers that the application has set before stay, and lists go on',
    needs: ['before'],
    async run({ expect, guard, serve }) {
      const limited = guard({ policies: [rateLimit({ limit: 99, window: '1h' })] }).guard
      const before = { 'X-Before': 'yes', 'Access-Control-Expose-Headers': 'X-Before' }
      const { send } = await serve([{ path: '/', guard: limited, exposeHeaders: true }], { before })
      const { headers } = await send('/hello')
      expect([headers['x-before'], headers['access-control-expose-headers']]).toEqual([
        'yes',
        'X-Before, RateLimit, RateLimit-Policy, Retry-After',
      ])
    },
  },
  {
    name: 'answer: one request reaches its handler once',
    async run({ expect, guard, serve }) {
      const { send, reached } = await serve([guard({ policies: [rateLimit({ limit: 99, window: '1h' })] })])
      await send('/hello')
      await send('/hello')
      expect(reached).toEqual(['/hello', '/hello'])
    },
  },
  {
    name: 'answer: a handler reads the whole body',
    async run({ expect, guard, serve }) {
      const { send } = await serve([guard({ policies: [rateLimit({ limit: 99, window: '1h' })] })])
      const body = 'body '.repeat(40_000)
      const answer = await send({ method: 'POST', target: '/echo', body, headers: [['Content-Type', 'text/plain']] })
      expect([answer.status, answer.body.length, answer.body === body]).toEqual([200, body.length, true])
    },
  },
  {
    name: 'answer: one written in parts arrives whole',
    needs: ['stream'],
    async run({ expect, guard, serve }) {
      const { send } = await serve([guard({ policies: [rateLimit({ limit: 99, window: '1h' })] })])
      const answer = await send('/stream')
      expect([answer.body, answer.headers['transfer-encoding']]).toEqual(['onetwothree', 'chunked'])
    },
  },
]

async function onlyLimitHeaders({ expect, guard, serve }: AdapterKit, requests: readonly RawRequest[]): Promise<void> {
  const bare = await serve([])
  const limited = guard({ policies: [rateLimit({ limit: 99, window: '1h' })] })
  const guarded = await serve([limited])
  for (const request of requests) {
    const answer = await guarded.send(request)
    const plain = await bare.send(request)
    const decision = limited.decisions.at(-1)
    const expected = Object.entries(decision ? allowHeaders(decision) : {}).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ])
    expect(limitHeaders(answer)).toEqual(Object.fromEntries(expected))
    const { date, ...headers } = plain.headers
    expect(date === undefined).toEqual(answer.headers.date === undefined)
    expect({ ...answer, bytes: '', headers: { ...answer.headers, date } }).toEqual({
      ...plain,
      bytes: '',
      headers: { ...headers, ...limitHeaders(answer), date },
    })
  }
}
