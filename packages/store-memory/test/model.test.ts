import {
  createReferenceLadder,
  createReferenceMeter,
  hitOf,
  keyOf,
  limiter,
  type ReferenceMeter,
  SUITE_START,
} from '@ipguard/conformance'
import { type Algorithm, createGuard, type Decision, type HitReply, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const ALGORITHMS = ['sliding-window', 'fixed-window', 'token-bucket'] as const
/** Of the bucket's, limit / window is a binary fraction: model and store round alike. */
const windowOf = (algorithm: Algorithm): number => (algorithm === 'token-bucket' ? 65_536 : MINUTE)

const clients = ['203.0.113.7', '203.0.113.8', '2001:db8::1', '2001:db8:0:1::1']
const times = fc.oneof(
  fc.constantFrom(0, 1, 999, 5_999, 6_000, 6_001, MINUTE - 1, MINUTE, MINUTE + 1, 65_999, 66_000, 66_001),
  fc.constantFrom(5 * MINUTE, 10 * MINUTE, HOUR - 1, HOUR, HOUR + 1, DAY - 1, DAY, DAY + 1, 10 * DAY, 30 * DAY),
  fc.nat(MINUTE),
)
const client = fc.constantFrom(...clients)

const ladders = [
  {
    tiers: [
      { name: 'graylist', ban: DAY, after: 1, within: 30 * DAY },
      { name: 'blacklist', ban: 30 * DAY, after: 3, within: 30 * DAY },
    ],
    decay: 30 * DAY,
  },
  { tiers: [{ name: 'jail', ban: HOUR, after: 3, within: 10 * MINUTE }], decay: 30 * DAY },
  {
    tiers: [
      { name: 'short', ban: 10 * SECOND, after: 2, within: 5 * MINUTE },
      { name: 'long', ban: DAY, after: 4, within: HOUR },
    ],
    decay: HOUR,
  },
] as const

type Command =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'request'; readonly client: string; readonly times: number }
  | { readonly do: 'strike' | 'unban' | 'look'; readonly client: string }
  | { readonly do: 'ban'; readonly client: string; readonly length: number }

const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('request' as const), client, times: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: times }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('strike' as const), client }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unban' as const, 'look' as const), client }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('ban' as const),
        client,
        length: fc.constantFrom(SECOND, HOUR, 60 * DAY),
      }),
    },
  ),
  { minLength: 5, maxLength: 60 },
)

describe('the ladder through guard.check', () => {
  const cases = ALGORITHMS.flatMap((algorithm) =>
    ladders.map((ladder, i) => ({ algorithm, ladder, name: `${algorithm}, ladder ${i + 1}` })),
  )
  it.each(cases)('equals the reference model on random histories: $name', async ({ algorithm, ladder }) => {
    const limit = 4
    const window = windowOf(algorithm)
    await fc.assert(
      fc.asyncProperty(commands, async (history) => {
        let now = SUITE_START
        const model = createReferenceLadder({ algorithm, limit, window, ...ladder })
        const guard = createGuard({
          store: memoryStore({ maxKeys: 100 }),
          clock: { now: () => now },
          policies: [rateLimit({ name: 'modelled', limit, window, algorithm, ladder: { ...ladder, widen: false } })],
        })
        for (const command of history) {
          if (command.do === 'wait') now += command.ms
          else if (command.do === 'request') {
            for (let i = 0; i < command.times; i++) {
              const decision = guard.check(
                { method: 'GET', url: '/', headers: { get: () => null } },
                { peer: command.client },
              )
              expect(answerOf(decision as Decision)).toEqual(
                roundedUp(model.request(command.client, now), now, decision as Decision),
              )
            }
          } else if (command.do === 'strike') {
            expect((await guard.strike(command.client))?.expiresAt).toBe(model.strike(command.client, now))
          } else if (command.do === 'ban') {
            await guard.ban(command.client, { for: command.length })
            model.ban(command.client, now, command.length)
          } else if (command.do === 'unban') {
            await guard.unban(command.client)
            model.unban(command.client)
          } else {
            const { limits } = await guard.status(command.client)
            expect(limits[0]?.strikes).toBe(model.strikes(command.client, now))
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})

function answerOf({ action, retryAfter, tier }: Decision): object {
  return { action, retryAfter, tier }
}

function roundedUp(
  { action, until, tier }: { action: string; until?: number; tier?: string },
  now: number,
  actual: Decision,
): object {
  // Where the model does not say when it passes, other tests do.
  const retryAfter =
    until === undefined
      ? action === 'limit'
        ? actual.retryAfter
        : undefined
      : Math.max(1, Math.ceil((until - now) / 1_000))
  return { action, retryAfter, tier }
}

describe('Store.hit', () => {
  const pool = ALGORITHMS.flatMap((algorithm) => {
    const window = windowOf(algorithm)
    return [false, true].map((shadow) => ({
      shadow,
      limit: 4,
      algorithm,
      window,
      counter: limiter({ name: 'p', limit: 4, window, algorithm }, shadow),
    }))
  })
  const step = fc.record({
    wait: times,
    commit: fc.constantFrom('all' as const, 'all' as const, 'refusals' as const, 'none' as const),
    hits: fc.array(fc.record({ which: fc.nat(pool.length - 1), client, cost: fc.integer({ min: 0, max: 3 }) }), {
      maxLength: 5,
    }),
    refund: fc.boolean(),
  })

  it('equals the reference model: all-or-nothing, shadow apart, costs, refunds, reads', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const store = memoryStore({ maxKeys: 100 })
        const meters = new Map<string, ReferenceMeter>()
        let now = SUITE_START
        for (const { wait, commit, hits, refund } of steps) {
          now += wait
          const asked = hits.map(({ which, client: text, cost }) => {
            const each = pool[which]!
            const id = `${which} ${text}`
            const meter = meters.get(id) ?? createReferenceMeter(each)
            meters.set(id, meter)
            return {
              ...each,
              id,
              meter,
              cost,
              hit: hitOf(each.counter, keyOf(text.includes(':') ? text.replace('::1', '::/64') : text), { cost }),
            }
          })
          const before = new Map<string, number>()
          const admitted = asked.map(({ id, meter, cost, limit }) => {
            const earlier = before.get(id) ?? 0
            before.set(id, earlier + cost)
            return cost === 0 || meter.used(now) + earlier + cost <= limit
          })
          const replies = store.hit(
            asked.map(({ hit }) => hit),
            { now, commit },
          ) as readonly HitReply[]
          expect(replies.map((reply) => reply.admitted)).toEqual(admitted)
          const live = commit === 'all' && asked.every(({ shadow }, i) => shadow || admitted[i])
          const all = live && admitted.every(Boolean)
          const consumed = asked
            .map((each, i) => ({ ...each, slot: replies[i]!.slot }))
            .filter(({ shadow }) => (shadow ? all : live))
          for (const { meter, cost } of consumed) if (cost > 0) meter.admit(now, cost)
          if (!refund) continue
          for (const { meter, cost, hit, slot } of consumed) {
            if (cost === 0) continue
            void store.hit([{ ...hit, cost: -cost, slot }], { now, commit: 'all' })
            meter.refund(now, now, cost)
          }
          for (const { meter, hit, limit } of asked) {
            const [read] = store.hit([{ ...hit, cost: 0 }], { now, commit: 'none' }) as readonly HitReply[]
            expect(read!.remaining).toBe(Math.max(0, Math.floor(limit - meter.used(now))))
          }
        }
      }),
      { numRuns: 1_500 },
    )
  })
})
