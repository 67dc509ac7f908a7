import { type Decision, deny, onPaths, type Policy, policy, rateLimit } from '@ipguard/core'
import type { AdapterCase, Served } from './adapter-case.ts'
import type { SuiteFacts } from './adapter-driver.ts'
import { nextTurn } from './next-turn.ts'
import type { RawAnswer, RawRequest } from './raw-exchange.ts'

const ANN = '203.0.113.9'
const BOB = '203.0.113.10'
const DENIED = '198.51.100.7'
const CLIENTS: readonly string[] = [ANN, BOB, DENIED]

const BEHIND_PROXY = { header: 'x-forwarded-for', trust: ['loopback'] } as const

/** As a proxy passes it on, which sends requests of many clients over one connection. */
function from(client: string, target = '/hello', method = 'GET'): RawRequest {
  return { method, target, headers: [['X-Forwarded-For', client]] }
}

/** One after the other, over one connection: what came of each, and how much its limit has left. */
async function outcomes({ connect }: Served, requests: readonly RawRequest[]): Promise<readonly string[]> {
  const { send } = connect()
  const seen: string[] = []
  for (const request of requests) seen.push(...(await send(request)).map(outcomeOf))
  return seen
}

function outcomeOf({ status, headers }: RawAnswer): string {
  const left = headers.ratelimit?.split(';')[1]
  return left === undefined ? String(status) : `${status} ${left}`
}

/** That a connection is not a request: it carries many, of many clients where a proxy stands in front, and some at once. */
export const connectionCases: readonly AdapterCase[] = [
  {
    name: 'connection: requests over one are judged and counted each on its own',
    async run({ expect, guard, serve }) {
      const plans = [
        [
          ['/hello', '/admin', '/public', '/admin', '/hello', '/hello'],
          ['200 r=2', '403', '200 r=1', '403', '200 r=0', '429 r=0'],
        ],
        [
          ['/admin', '/hello', '/hello', '/admin'],
          ['403', '200 r=2', '200 r=1', '403'],
        ],
      ] as const
      for (const [targets, wanted] of plans) {
        const watched = guard({ policies: [onAdmin(), rateLimit({ limit: 3, window: '1h' })] })
        const served = await serve([watched])
        expect(
          await outcomes(
            served,
            targets.map((target) => ({ target })),
          ),
        ).toEqual(wanted)
        expect(watched.decisions.length).toEqual(targets.length)
        expect(served.reached).toEqual(targets.filter((_, at) => wanted[at]?.startsWith('200')))
      }
    },
  },
  {
    name: 'connection: clients of a proxy share one, and are judged and counted each on its own',
    needs: ['peer'],
    async run({ expect, guard, serve }) {
      const plans = [
        [
          [ANN, DENIED, ANN, BOB, ANN, DENIED, BOB],
          ['200 r=1', '403', '200 r=0', '200 r=1', '429 r=0', '403', '200 r=0'],
        ],
        [
          [DENIED, ANN, BOB, DENIED],
          ['403', '200 r=1', '200 r=1', '403'],
        ],
      ] as const
      for (const [clients, wanted] of plans) {
        const policies = [deny([DENIED]), rateLimit({ limit: 2, window: '1h' })]
        const watched = guard({ policies, clientIp: BEHIND_PROXY })
        expect(
          await outcomes(
            await serve([watched]),
            clients.map((client) => from(client)),
          ),
        ).toEqual(wanted)
        expect(watched.decisions.map(({ client }) => client?.ip)).toEqual(clients)
      }
    },
  },
  {
    name: 'connection: policies are given the facts of each request',
    async run({ expect, guard, serve }) {
      const limit = rateLimit<SuiteFacts>({
        limit: (_request, _client, { plan }) => (plan === 'gold' ? 3 : 1),
        window: '1h',
      })
      const { guard: planned } = guard({ policies: [limit] })
      const served = await serve([{ path: '/', guard: planned, facts: (header) => ({ plan: header('x-plan') }) }])
      const plain = { target: '/hello' }
      const gold = { target: '/hello', headers: [['X-Plan', 'gold']] } as const
      const seen = await outcomes(served, [plain, plain, gold, gold, gold])
      expect(seen).toEqual(['200 r=0', '429 r=0', '200 r=1', '200 r=0', '429 r=0'])
    },
  },
  {
    name: 'connection: a handler strikes the client of its own request',
    needs: ['peer', 'handle'],
    async run({ expect, guard, serve }) {
      const policies = [rateLimit({ name: 'failures', ladder: [{ name: 'out', ban: '1h' }] })]
      const served = await serve([guard({ policies, clientIp: BEHIND_PROXY })])
      const requests = [from(ANN), from(BOB, '/strike', 'POST'), from(ANN), from(BOB)]
      expect(await outcomes(served, requests)).toEqual(['200', '200', '200', '403'])
    },
  },
  {
    name: 'connection: a handler gives back what its own request consumed',
    needs: ['peer', 'handle'],
    async run({ expect, guard, serve }) {
      const served = await serve([guard({ policies: [rateLimit({ limit: 1, window: '1h' })], clientIp: BEHIND_PROXY })])
      const requests = [from(ANN), from(BOB, '/refund', 'POST'), from(ANN), from(BOB)]
      expect(await outcomes(served, requests)).toEqual(['200 r=0', '200 r=0', '429 r=0', '200 r=0'])
    },
  },
  {
    name: 'connection: requests that are sent before the answers are judged each on its own',
    needs: ['pipeline'],
    async run({ expect, guard, serve }) {
      for (const first of ['/admin', '/hello']) {
        const { connect, reached } = await serve([guard({ policies: [slow(), onAdmin()] })])
        const targets = [first, '/public', '/admin', '/hello']
        const answers = await connect().send(...targets.map((target) => ({ target })))
        expect(answers.map(({ status }) => status)).toEqual(targets.map((target) => (target === '/admin' ? 403 : 200)))
        expect(reached).toEqual(targets.filter((target) => target !== '/admin'))
      }
    },
  },
  {
    name: 'connection: handlers of requests that are sent before the answers see each its own decision',
    needs: ['pipeline', 'peer', 'handle'],
    async run({ expect, guard, serve }) {
      const { connect } = await serve([guard({ policies: [slow()], clientIp: BEHIND_PROXY })])
      const answers = await connect().send(...CLIENTS.map((client) => from(client, '/decision')))
      expect(answers.map(clientSeen)).toEqual(CLIENTS)
    },
  },
  {
    name: 'connection: handlers of requests over several at one time see each its own decision',
    needs: ['peer', 'handle'],
    async run({ expect, guard, serve }) {
      const { send } = await serve([guard({ policies: [together(CLIENTS.length)], clientIp: BEHIND_PROXY })])
      const answers = await Promise.all(CLIENTS.map((client) => send(from(client, '/decision'))))
      expect(answers.map(clientSeen)).toEqual(CLIENTS)
    },
  },
]

/** The client that a handler of `/decision` was told. */
function clientSeen({ body }: RawAnswer): unknown {
  const decision = JSON.parse(body) as Decision | null // what this route writes
  return decision?.client?.ip
}

function onAdmin(): Policy {
  return deny(['0.0.0.0/0', '::/0'], { when: onPaths('/admin') })
}

function slow(): Policy {
  return policy({
    name: 'slow',
    async evaluate() {
      await nextTurn()
      return undefined
    },
  })
}

/** Decides none of so many requests before all are there. */
function together(count: number): Policy {
  let waiting = 0
  let release = (): void => {}
  const all = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined)
  })
  return policy({
    name: 'together',
    evaluate() {
      waiting++
      if (waiting === count) release()
      return all
    },
  })
}
