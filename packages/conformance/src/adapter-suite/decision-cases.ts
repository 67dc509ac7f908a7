import { type Guard, policy, rateLimit } from '@ipguard/core'
import { decideAlone, scriptScenario } from '../decisions/decision-scenario.ts'
import { decisionScenarios } from '../decisions/decision-scenarios.ts'
import type { AdapterCase } from './adapter-case.ts'
import type { AdapterMount, SuiteFacts } from './adapter-driver.ts'
import { nextTurn } from './next-turn.ts'

const PREFLIGHT = [
  ['Origin', 'https://example.org'],
  ['Access-Control-Request-Method', 'PUT'],
] as const

/** Takes the plan from a header, as an application would from its session. */
function withPlan(guard: Guard<SuiteFacts>): AdapterMount {
  return { path: '/', guard, facts: (header) => ({ plan: header('x-plan') }) }
}

/** Decisions: that each is made once, waited for, told everything, and passed on. */
export const decisionCases: readonly AdapterCase[] = [
  {
    name: 'decision: one guard mounted twice counts a request once',
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [rateLimit({ limit: 2, window: '1h' })] })
      const { send } = await serve([watched, watched])
      const statuses = [(await send('/hello')).status, (await send('/hello')).status, (await send('/hello')).status]
      expect([statuses, watched.decisions.length]).toEqual([[200, 200, 429], 3])
    },
  },
  {
    name: 'decision: two guards with one limit on one store count a request once',
    async run({ expect, guard, serve, createStore }) {
      const store = createStore()
      const policies = [rateLimit({ name: 'site', limit: 2, window: '1h' })]
      const { send } = await serve([guard({ policies, store }), guard({ policies, store })])
      const statuses = [(await send('/hello')).status, (await send('/hello')).status, (await send('/hello')).status]
      expect(statuses).toEqual([200, 200, 429])
    },
  },
  {
    name: 'decision: a guard of one route adds its policies there, and counts the others once',
    needs: ['route'],
    async run({ expect, guard, serve }) {
      const { guard: base } = guard({ policies: [rateLimit({ name: 'site', limit: 4, window: '1h' })] })
      const login = base.with({ policies: [rateLimit({ name: 'login', limit: 1, window: '2h' })] })
      const { send, reached } = await serve([{ path: '/', guard: base }], { loginGuard: login })
      const first = await send({ method: 'POST', target: '/login' })
      const second = await send({ method: 'POST', target: '/login' })
      expect([first.status, first.headers['ratelimit-policy'], second.status]).toEqual([
        200,
        '"4-in-1h";q=4;w=3600, "1-in-2h";q=1;w=7200',
        429,
      ])
      expect([(await send('/hello')).headers.ratelimit?.split(';')[1], reached]).toEqual(['r=1', ['/login', '/hello']])
    },
  },
  {
    name: 'decision: a policy that throws is skipped',
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [policy({ name: 'broken', evaluate: fail })] })
      const { send } = await serve([watched])
      expect([(await send('/hello')).body, watched.decisions.at(-1)?.degraded]).toEqual(['hello', ['broken']])
    },
  },
  {
    name: 'decision: a policy that throws denies where its onError says so',
    async run({ expect, guard, serve }) {
      const { send, reached } = await serve([
        guard({ policies: [policy({ name: 'broken', onError: 'deny', evaluate: fail })] }),
      ])
      expect([(await send('/hello')).status, reached]).toEqual([403, []])
    },
  },
  {
    name: 'decision: one that takes time is waited for, and the body with it',
    async run({ expect, guard, serve }) {
      const slow = policy<SuiteFacts>({
        name: 'slow',
        evaluate: async ({ request }) => {
          await nextTurn()
          return request.headers.get('x-bad') ? { action: 'deny' } : undefined
        },
      })
      const { send, reached } = await serve([guard({ policies: [slow] })])
      const body = 'late body '.repeat(10_000)
      const passed = await send({ method: 'POST', target: '/echo', body })
      const refused = await send({ method: 'POST', target: '/echo', body: 'x', headers: [['X-Bad', '1']] })
      expect([passed.status, passed.body === body, refused.status, reached]).toEqual([200, true, 403, ['/echo']])
    },
  },
  {
    name: 'decision: policies are given the facts',
    async run({ expect, guard, serve }) {
      const limit = rateLimit<SuiteFacts>({
        limit: (_request, _client, facts) => (facts.plan === 'gold' ? 3 : 1),
        window: '1h',
      })
      const { send } = await serve([withPlan(guard({ policies: [limit] }).guard)])
      const gold = { target: '/hello', headers: [['X-Plan', 'gold']] } as const
      const statuses = [(await send(gold)).status, (await send(gold)).status, (await send('/hello')).status]
      expect(statuses).toEqual([200, 200, 429])
    },
  },
  {
    name: 'decision: facts that throw are a server error, and nobody comes in',
    async run({ expect, guard, serve }) {
      const { guard: open } = guard({})
      const { send, reached } = await serve([{ path: '/', guard: open, facts: fail }])
      expect([(await send('/hello')).status, reached]).toEqual([500, []])
    },
  },
  {
    name: 'decision: the handler sees it',
    needs: ['handle'],
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [rateLimit({ limit: 9, window: '1h' })] })
      const { send } = await serve([watched])
      const { body } = await send('/decision')
      expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(watched.decisions.at(-1))))
    },
  },
  {
    name: 'decision: a handler strikes, and the ladder bans',
    needs: ['handle'],
    async run({ expect, guard, serve }) {
      const policies = [rateLimit({ name: 'failures', ladder: [{ name: 'out', ban: '1h', after: 2 }] })]
      const { send } = await serve([guard({ policies, banInfrastructure: true })])
      const strike = { method: 'POST', target: '/strike' }
      expect([(await send(strike)).body, (await send(strike)).body]).toEqual(['no ban', 'ban'])
      expect((await send('/hello')).status).toEqual(403)
    },
  },
  {
    name: 'decision: a handler gives back what a request consumed',
    needs: ['handle'],
    async run({ expect, guard, serve }) {
      const { send } = await serve([guard({ policies: [rateLimit({ limit: 1, window: '1h' })] })])
      const refund = { method: 'POST', target: '/refund' }
      const statuses = [(await send(refund)).status, (await send(refund)).status, (await send('/hello')).status]
      expect(statuses).toEqual([200, 200, 200])
    },
  },
  {
    name: 'decision: a handler strikes and gives back after its answer was sent',
    needs: ['handle'],
    async run({ expect, guard, serve }) {
      const limit = rateLimit({ name: 'site', limit: 1, window: '1h' })
      const failures = rateLimit({ name: 'failures', ladder: [{ name: 'out', ban: '1h' }] })
      const { send, handles } = await serve([guard({ policies: [limit, failures], banInfrastructure: true })])
      expect((await send('/hello')).status).toEqual(200)
      await handles[0]?.refund()
      expect((await send('/hello')).status).toEqual(200)
      expect((await handles[1]?.strike({ policy: 'failures' }))?.kind).toEqual('ban')
      expect((await send('/hello')).status).toEqual(403)
    },
  },
  {
    name: 'decision: CORS preflights are not counted, other OPTIONS are',
    needs: ['everywhere'],
    async run({ expect, guard, serve }) {
      const watched = guard({ policies: [rateLimit({ limit: 1, window: '1h' })] })
      const { send } = await serve([watched])
      const actions: unknown[] = []
      for (const headers of [PREFLIGHT, PREFLIGHT, [], []]) {
        await send({ method: 'OPTIONS', target: '/hello', headers })
        actions.push(watched.decisions.at(-1)?.action)
      }
      expect(actions).toEqual(['allow', 'allow', 'allow', 'limit'])
    },
  },
  {
    name: 'decision: a guard in shadow refuses nothing',
    async run({ expect, guard, serve }) {
      const watched = guard({ mode: 'shadow', policies: [rateLimit({ limit: 0, window: '1h' })] })
      const { send } = await serve([watched])
      expect([(await send('/hello')).body, watched.decisions.at(-1)?.shadow?.[0]?.action]).toEqual(['hello', 'limit'])
    },
  },
  ...decisionScenarios.map(
    (scenario): AdapterCase => ({
      name: `decision: byte for byte what core alone decides: ${scenario.name}`,
      needs: ['peer'],
      async run({ expect, createStore, guard, serve }) {
        const alone = await decideAlone(scenario, createStore())
        expect(alone).toEqual(scenario.decisions)
        const { options, play } = scriptScenario(scenario, createStore())
        const watched = guard(options)
        const { send } = await serve([watched])
        expect(await play(watched.decisions, send)).toEqual(alone)
      },
    }),
  ),
]

function fail(): never {
  throw new Error('This fails on purpose.')
}
